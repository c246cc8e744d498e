import RPC
import Synchronization
import Wire

/// The service that `conformance_client.py` calls and `conformance_server.py` offers.
enum Conformance {
    static func method(_ name: String, _ kind: CallKind = .unary) -> Method<Bytes, Bytes> {
        Method(service: "test.Conformance", name: name, kind: kind)
    }

    static let echo = method("Echo")
    static let sleep = method("Sleep")
    static let collect = method("Collect", .clientStreaming)
    static let expand = method("Expand", .serverStreaming)
    static let chat = method("Chat", .bidirectional)

    /// What the handlers count, and the server they may drain.
    final class Counts: Sendable {
        let sleeps = Mutex((begun: 0, ended: 0))
        let server = Mutex<Server?>(nil)
    }

    static func router(_ counts: Counts) -> Router {
        var router = Router()
        router.unary(echo) { request, _ in request }
        router.unary(method("Metadata")) { request, context in
            context.sendHeaders(context.metadata.own)
            context.setTrailers(context.metadata.own)
            return Bytes([])
        }
        router.unary(method("Fail")) { request, _ in
            let words = String(decoding: request.bytes, as: UTF8.self)
                .split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard let number = Int(words[0]), let code = Status.Code(rawValue: number) else {
                throw Status(.invalidArgument, "CODE TEXT")
            }
            throw Status(code, String(words[1]))
        }
        router.unary(sleep) { request, _ in
            counts.sleeps.withLock { $0.begun += 1 }
            defer { counts.sleeps.withLock { $0.ended += 1 } }
            let milliseconds = Int(String(decoding: request.bytes, as: UTF8.self)) ?? 0
            try await Task.sleep(for: .milliseconds(milliseconds))
            return Bytes([])
        }
        router.unary(method("Begun")) { _, _ in Bytes("\(counts.sleeps.withLock { $0.begun })") }
        router.unary(method("Ended")) { _, _ in Bytes("\(counts.sleeps.withLock { $0.ended })") }
        router.unary(method("Deadline")) { _, context in
            guard let deadline = context.deadline else { return Bytes("none") }
            return Bytes("\((deadline - ContinuousClock.now) / .seconds(1))")
        }
        router.unary(method("Drain")) { _, _ in
            counts.server.withLock { $0 }?.drain()
            return Bytes([])
        }
        streams(counts, &router)
        return router
    }

    private static func streams(_ counts: Counts, _ router: inout Router) {
        router.clientStreaming(collect) { requests, _ in
            var all: [UInt8] = []
            for try await request in requests { all += request.bytes }
            return Bytes(all)
        }
        router.serverStreaming(expand) { request, responses, _ in
            for byte in request.bytes { try await responses.write(Bytes([byte])) }
        }
        router.bidirectional(chat) { requests, responses, _ in
            defer { counts.sleeps.withLock { $0.ended += 1 } }
            for try await request in requests { try await responses.write(request) }
        }
    }
}

extension Metadata {
    /// Those entries whose name begins with "x-".
    var own: Metadata {
        var own = Metadata()
        for entry in entries where entry.name.hasPrefix("x-") {
            // Names that came in once are valid.
            switch entry.value {
            case .ascii(let text): try? own.add(text, for: entry.name)
            case .binary(let bytes): try? own.add(bytes, for: entry.name)
            }
        }
        return own
    }
}
