import RPC
import Synchronization
import TLS
import TestKit
import Testing
import Wire

/// Streams of many and of large messages arrive whole, however late their reader begins.
@Suite(.timeLimit(.minutes(5)))
struct StallTests {
    struct Load: Sendable, CustomTestStringConvertible {
        let count: Int
        let bytes: Int
        let overTLS: Bool
        var testDescription: String { "\(count) x \(bytes) bytes\(overTLS ? " over TLS" : "")" }
    }

    static let loads = [
        Load(count: 2000, bytes: 4 << 10, overTLS: false),
        Load(count: 64, bytes: 64 << 10, overTLS: false),
        Load(count: 2000, bytes: 4 << 10, overTLS: true),
        Load(count: 64, bytes: 64 << 10, overTLS: true),
    ]

    private func configurations(
        _ load: Load
    ) throws -> (files: Certificates?, server: ServerConfiguration, client: ClientConfiguration) {
        guard load.overTLS else { return (nil, ServerConfiguration(), ClientConfiguration()) }
        let files = try Certificates()
        return (
            files, ServerConfiguration(tls: try files.settings("server", authority: nil)),
            ClientConfiguration(tls: try files.settings(nil, authority: "authority"))
        )
    }

    @Test(arguments: loads)
    func `answers to a reader that begins late`(load: Load) async throws {
        var router = Router()
        let written = Counter()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            for _ in 0..<load.count {
                try await responses.write(Bytes(count: load.bytes))
                written.add()
            }
        }
        let (files, server, client) = try configurations(load)
        try await withServer(router, server, client: client) { client, _, _ in
            try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                // The server has filled what it may, or is done.
                while written.value < 12 { try await Task.sleep(for: .milliseconds(1)) }
                var (count, total) = (0, 0)
                for try await answer in answers {
                    (count, total) = (count + 1, total + answer.bytes.count)
                    if count % 16 == 0, count < 256 { try await Task.sleep(for: .milliseconds(1)) }
                }
                #expect(count == load.count)
                #expect(total == load.count * load.bytes)
            }
        }
        withExtendedLifetime(files) {}
    }

    @Test(arguments: loads)
    func `requests to a handler that begins late`(load: Load) async throws {
        var router = Router()
        let written = Counter()
        let total = Mutex(0)
        router.clientStreaming(Echo.collect) { requests, _ in
            while written.value < 12 { try await Task.sleep(for: .milliseconds(1)) }
            var count = 0
            for try await request in requests {
                count += 1
                total.withLock { $0 += request.bytes.count }
                if count % 16 == 0, count < 256 { try await Task.sleep(for: .milliseconds(1)) }
            }
            return Bytes(Array("\(count)".utf8))
        }
        let (files, server, client) = try configurations(load)
        try await withServer(router, server, client: client) { client, _, _ in
            let answer = try await client.clientStreaming(Echo.collect) { writer in
                for _ in 0..<load.count {
                    try await writer.write(Bytes(count: load.bytes))
                    written.add()
                }
            }
            #expect(answer == Bytes(Array("\(load.count)".utf8)))
            #expect(total.withLock { $0 } == load.count * load.bytes)
        }
        withExtendedLifetime(files) {}
    }

    @Test(arguments: loads)
    func `both ways at once, several calls on one connection`(load: Load) async throws {
        let (files, server, client) = try configurations(load)
        try await withServer(Echo.router, server, client: client) { client, _, _ in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await client.bidirectional(Echo.chat) { writer in
                            for _ in 0..<load.count {
                                try await writer.write(Bytes(count: load.bytes))
                            }
                        } _: { answers in
                            try await Task.sleep(for: .milliseconds(20))
                            return try await answers.reduce(into: 0) { $0 += $1.bytes.count }
                        }
                    }
                }
                for try await total in group { #expect(total == load.count * load.bytes) }
            }
        }
        withExtendedLifetime(files) {}
    }
}
