import RPC
import Synchronization
import Wire

/// Bytes of any number.
struct Block: WireMessage {
    static let wireName = "hone.fuzz.Block"
    static let maximumBytes = 100_000
    var bytes: [UInt8] = []

    init() {}

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(count: Int) {
        bytes = [UInt8](repeating: 0x5A, count: count)
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    mutating func code(with coder: inout WireCoder) {}

    func encoded() -> [UInt8] { bytes }
}

/// How many are at work; shared with what runs on the same loop.
final class Tally: Sendable {
    private let running = Atomic(0)
    private let total = Atomic(0)

    var runningCount: Int { running.load(ordering: .relaxed) }
    var begunCount: Int { total.load(ordering: .relaxed) }

    /// Runs a task on a loop. Whoever moves the loop by hand can wait for none: the tally tells of
    /// its end.
    func run(on executor: (any TaskExecutor)?, _ body: @escaping @Sendable () async -> Void) {
        begin()
        Task(executorPreference: executor) {
            await body()
            self.end()
        }
    }

    func begin() {
        running.add(1, ordering: .relaxed)
        total.add(1, ordering: .relaxed)
    }

    func end() {
        running.subtract(1, ordering: .relaxed)
    }
}

/// The calls that fuzzing makes and answers.
enum FuzzCalls {
    static let service = "hone.fuzz.Calls"
    static let same = Method<Block, Block>(
        service: service, name: "Same", kind: .unary, idempotent: true)
    static let sum = Method<Block, Block>(service: service, name: "Sum", kind: .clientStreaming)
    static let many = Method<Block, Block>(service: service, name: "Many", kind: .serverStreaming)
    static let each = Method<Block, Block>(service: service, name: "Each", kind: .bidirectional)
    /// May not be repeated.
    static let once = Method<Block, Block>(service: service, name: "Once", kind: .unary)
    static let never = Method<Block, Block>(service: service, name: "Never", kind: .serverStreaming)

    /// Answers the same, the sum of all, a message a byte of up to 64 KiB, each again; or never.
    static func router(_ tally: Tally) -> Router {
        var router = Router()
        router.unary(same) { request, _ in
            tally.begin()
            defer { tally.end() }
            return request
        }
        router.clientStreaming(sum) { requests, _ in
            tally.begin()
            defer { tally.end() }
            var count = 0
            for try await request in requests { count += request.bytes.count }
            return Block(count: count % 60_000)
        }
        router.serverStreaming(many) { request, responses, _ in
            tally.begin()
            defer { tally.end() }
            for byte in request.bytes.prefix(8) {
                try await responses.write(Block(count: Int(byte) << 8))
            }
        }
        router.bidirectional(each) { requests, responses, _ in
            tally.begin()
            defer { tally.end() }
            for try await request in requests { try await responses.write(request) }
        }
        router.serverStreaming(never) { _, _, _ in
            tally.begin()
            defer { tally.end() }
            let (nothing, source) = AsyncStream.makeStream(of: Never.self)
            for await _ in nothing {}
            source.finish()
            try Task.checkCancellation()
        }
        return router
    }
}
