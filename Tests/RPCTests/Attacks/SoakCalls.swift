import RPC
import Synchronization
import TestKit
import Testing
import Wire

/// What became of the soak's calls.
final class SoakLog: CallObserver {
    struct State: Sendable {
        var begun = 0
        var observed = 0
        var codes: [Status.Code: Int] = [:]
        var wrongAnswers: [String] = []
        /// The longest that a call lasted beyond its deadline.
        var latest = Duration.zero
        var handlersBegun = 0
        var handlersEnded = 0
    }

    private let state = Mutex(State())
    var now: State { state.withLock { $0 } }

    func callEnded(_ summary: CallSummary) { state.withLock { $0.observed += 1 } }
    func handlerBegan() { state.withLock { $0.handlersBegun += 1 } }
    func handlerEnded() { state.withLock { $0.handlersEnded += 1 } }

    func ended(_ status: Status, beyondDeadline late: Duration) {
        state.withLock { state in
            state.begun += 1
            state.codes[status.code, default: 0] += 1
            state.latest = max(state.latest, late)
        }
    }

    func wrong(_ text: String) {
        state.withLock { $0.wrongAnswers.append(text) }
    }
}

/// Calls of all four kinds with random sizes and deadlines, each checked to the byte.
struct SoakCalls: Sendable {
    let log: SoakLog

    static let hold = Method<Bytes, Bytes>(service: "test.Echo", name: "Hold", kind: .unary)

    /// The services of `Echo`, counted, and one that never answers.
    var router: Router {
        var router = Router()
        let log = log
        for method in [Echo.unary, Echo.repeatable] {
            router.unary(method) { request, _ in
                log.handlerBegan()
                defer { log.handlerEnded() }
                return request
            }
        }
        router.unary(Self.hold) { request, _ in
            log.handlerBegan()
            defer { log.handlerEnded() }
            // A sleep that is cancelled would keep its timer's memory until its time has come.
            await Gate().wait()
            return request
        }
        router.clientStreaming(Echo.collect) { requests, _ in
            log.handlerBegan()
            defer { log.handlerEnded() }
            var all: [UInt8] = []
            for try await request in requests { all += request.bytes }
            return Bytes(all)
        }
        router.serverStreaming(Echo.expand) { request, responses, _ in
            log.handlerBegan()
            defer { log.handlerEnded() }
            for byte in request.bytes.prefix(200) {
                try await responses.write(Bytes([UInt8](repeating: byte, count: Int(byte) * 8)))
            }
        }
        router.bidirectional(Echo.chat) { requests, responses, _ in
            log.handlerBegan()
            defer { log.handlerEnded() }
            for try await request in requests { try await responses.write(request) }
        }
        return router
    }

    /// Makes calls one after the other until the time is over.
    func run(_ client: Client, seed: UInt64, until end: ContinuousClock.Instant) async {
        var random = SplitMix64(seed: seed)
        while ContinuousClock.now < end {
            let deadline = Duration.milliseconds(Int.random(in: 20...2500, using: &random))
            let begun = ContinuousClock.now
            var outcome = Status.ok
            do {
                try await call(client, CallOptions(deadline: deadline), &random)
            } catch {
                outcome = Status(describing: error)
            }
            log.ended(outcome, beyondDeadline: .now - begun - deadline)
        }
    }

    private func call(
        _ client: Client, _ options: CallOptions, _ random: inout SplitMix64
    ) async throws {
        let limit = [10, 1000, 20_000, 200_000][Int.random(in: 0..<4, using: &random)]
        let bytes = message(Int.random(in: 0...limit, using: &random), &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: try await expect(bytes, client.unary(Echo.unary, bytes, options: options))
        case 4: try await expect(bytes, client.unary(Echo.repeatable, bytes, options: options))
        case 5: _ = try await client.unary(Self.hold, bytes, options: options)
        case 6: await cancelled(client, bytes, options, &random)
        case 7: try await collect(client, bytes, options)
        case 8, 9: try await expand(client, bytes, options)
        default: try await chat(client, bytes, options, Int.random(in: 1...40, using: &random))
        }
    }

    private func message(_ count: Int, _ random: inout SplitMix64) -> Bytes {
        let start = UInt8.random(in: 0...255, using: &random)
        return Bytes((0..<count).map { start &+ UInt8(truncatingIfNeeded: $0 &* 7) })
    }

    private func expect(_ wanted: Bytes, _ got: Bytes) {
        guard got != wanted else { return }
        log.wrong("\(got.bytes.count) bytes came back for \(wanted.bytes.count)")
    }

    /// A call whose caller gives up.
    private func cancelled(
        _ client: Client, _ bytes: Bytes, _ options: CallOptions, _ random: inout SplitMix64
    ) async {
        let patience = Int.random(in: 0...100, using: &random)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await client.unary(Self.hold, bytes, options: options) }
            try? await Task.sleep(for: .milliseconds(patience))
            group.cancelAll()
        }
    }

    private func collect(_ client: Client, _ bytes: Bytes, _ options: CallOptions) async throws {
        let answer = try await client.clientStreaming(Echo.collect, options: options) { writer in
            for start in stride(from: 0, to: bytes.bytes.count, by: 7000) {
                try await writer.write(Bytes(Array(bytes.bytes.dropFirst(start).prefix(7000))))
            }
        }
        expect(bytes, answer)
    }

    private func expand(_ client: Client, _ bytes: Bytes, _ options: CallOptions) async throws {
        try await client.serverStreaming(Echo.expand, bytes, options: options) { answers in
            var index = 0
            for try await answer in answers {
                let byte = index < bytes.bytes.count ? bytes.bytes[index] : 0
                expect(Bytes([UInt8](repeating: byte, count: Int(byte) * 8)), answer)
                index += 1
            }
            if index != min(200, bytes.bytes.count) { log.wrong("\(index) answers") }
        }
    }

    private func chat(
        _ client: Client, _ bytes: Bytes, _ options: CallOptions, _ count: Int
    ) async throws {
        try await client.bidirectional(Echo.chat, options: options) { writer in
            for _ in 0..<count { try await writer.write(bytes) }
        } _: { answers in
            var seen = 0
            for try await answer in answers {
                expect(bytes, answer)
                seen += 1
            }
            if seen != count { log.wrong("\(seen) answers of \(count)") }
        }
    }
}
