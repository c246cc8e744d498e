// FileHandle is not in FoundationEssentials.
import Foundation
import Glibc
import RPC
import Wire

/// Bytes, and how often the server is to send as many.
struct BenchPayload: WireMessage {
    static let wireName = "hone.bench.Payload"
    var data: [UInt8] = []
    var messages = 0

    init() {}

    init(bytes: Int, messages: Int = 0) {
        data = [UInt8](repeating: 0x5A, count: bytes)
        self.messages = messages
    }

    mutating func code(with coder: inout WireCoder) {
        coder.bytes(1, "data", &data)
        coder.uint(2, "messages", &messages)
    }
}

/// What the server has used since it began.
struct BenchUsage: WireMessage {
    static let wireName = "hone.bench.Usage"
    var processorSeconds = 0.0
    var residentBytes = 0

    init() {}

    mutating func code(with coder: inout WireCoder) {
        coder.f64(1, "processorSeconds", &processorSeconds)
        coder.uint(2, "residentBytes", &residentBytes)
    }

    /// Of this process; the memory is the largest it ever held.
    static func own() throws -> BenchUsage {
        func words(_ path: String) throws -> [Substring] {
            try String(contentsOf: URL(filePath: path), encoding: .utf8)
                .split(whereSeparator: \.isWhitespace)
        }
        // proc(5): fields 14 and 15 are time in user and kernel mode, in hundredths of a second;
        // the name, field 2, is "(hone)".
        let times = try words("/proc/self/stat")[13...14].compactMap { Double($0) }
        let status = try words("/proc/self/status")
        let peak = status.firstIndex(of: "VmHWM:").flatMap { Int(status[$0 + 1]) } ?? 0
        return BenchUsage.with {
            $0.processorSeconds = times.reduce(0, +) / 100
            $0.residentBytes = peak * 1024
        }
    }
}

/// The calls that are measured.
enum BenchCalls {
    private static let service = "hone.Bench"
    static let echo = Method<BenchPayload, BenchPayload>(
        service: service, name: "Echo", kind: .unary)
    static let expand = Method<BenchPayload, BenchPayload>(
        service: service, name: "Expand", kind: .serverStreaming)
    static let usage = Method<BenchPayload, BenchUsage>(
        service: service, name: "Usage", kind: .unary)
}

/// The measured server: a process of its own that ends when its parent does.
enum BenchRPCServer {
    static func run(onEventLoop: Bool) async throws {
        var router = Router()
        router.unary(BenchCalls.echo) { request, _ in request }
        router.unary(BenchCalls.usage) { _, _ in try BenchUsage.own() }
        router.serverStreaming(BenchCalls.expand) { request, responses, _ in
            let message = BenchPayload.with { $0.data = request.data }
            for _ in 0..<request.messages { try await responses.write(message) }
        }
        var configuration = ServerConfiguration()
        configuration.handlers = onEventLoop ? .eventLoop : .pool
        let server = Server(configuration, router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            try FileHandle.standardOutput.write(contentsOf: Data("\(port)\n".utf8))
            group.addTask { try await endOfParent() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Looks now and then, so that nothing is left when the parent was killed.
    private static func endOfParent() async throws {
        let parent = getppid()
        while getppid() == parent { try await Task.sleep(for: .milliseconds(200)) }
    }
}
