import RPC
import TLS
import Wire

/// A message of plain bytes.
struct Bytes: WireMessage {
    static let wireName = "test.Bytes"
    static let maximumBytes = 16 << 20
    var bytes: [UInt8] = []

    init() {}

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    mutating func code(with coder: inout WireCoder) {}

    func encoded() -> [UInt8] { bytes }
}

/// The service that our server and the scripts offer alike.
enum Echo {
    static let unary = Method<Bytes, Bytes>(service: "test.Echo", name: "Unary", kind: .unary)
    static let collect = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Collect", kind: .clientStreaming)
    static let expand = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Expand", kind: .serverStreaming)
    static let chat = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Chat", kind: .bidirectional)
    static let flood = Method<Bytes, Bytes>(
        service: "test.Echo", name: "Flood", kind: .serverStreaming)

    static var router: Router {
        var router = Router()
        router.unary(unary) { request, context in
            if let value = context.metadata["x-echo"] { context.sendHeaders(["x-first": value]) }
            if let raw = context.metadata[binary: "x-raw-bin"] {
                var trailers = Metadata()
                try trailers.add(raw, for: "x-last-bin")
                context.setTrailers(trailers)
            }
            let text = String(decoding: request.bytes.prefix(64), as: UTF8.self)
            if text.hasPrefix("fail:"), let number = Int(text.dropFirst(5)),
                let code = Status.Code(rawValue: number)
            {
                throw Status(code, "as asked: 100 % déjà vu")
            }
            if text == "wait:" { try await Task.sleep(for: .seconds(60)) }
            return request
        }
        router.clientStreaming(collect) { requests, _ in
            var all: [UInt8] = []
            for try await request in requests { all += request.bytes }
            return Bytes(all)
        }
        router.serverStreaming(expand) { request, responses, _ in
            for byte in request.bytes { try await responses.write(Bytes([byte])) }
        }
        // "2000 4096" asks for so many messages of so many bytes.
        router.serverStreaming(flood) { request, responses, _ in
            let words = String(decoding: request.bytes, as: UTF8.self).split(separator: " ")
            let numbers = words.compactMap { Int($0) }
            guard numbers.count == 2 else { throw Status(.invalidArgument, "COUNT BYTES") }
            let message = Bytes([UInt8](repeating: 7, count: numbers[1]))
            for _ in 0..<numbers[0] { try await responses.write(message) }
        }
        router.bidirectional(chat) { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }
        return router
    }

    /// Runs a server of the service for as long as `body` runs.
    static func serving<Result: Sendable>(
        over tls: TLSSettings? = nil, _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> Result {
        let server = Server(ServerConfiguration(tls: tls), router: router)
        return try await alongside({ try await server.run() }) {
            try await body(try await server.listeningPort())
        }
    }

    /// Runs `service` for as long as `body` runs.
    static func alongside<Result: Sendable>(
        _ service: @escaping @Sendable () async throws -> Void,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await service()
                return nil
            }
            group.addTask { try await body() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw Status(.internal, "the test's body gave no result")
        }
    }
}
