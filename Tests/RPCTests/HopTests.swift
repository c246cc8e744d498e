import RPC
import Synchronization
import Testing

/// Deadlines and cancellation across services that call one another.
@Suite(.timeLimit(.minutes(5)))
struct HopTests {
    static let first = Method<Bytes, Bytes>(service: "test.Hops", name: "First", kind: .unary)
    static let second = Method<Bytes, Bytes>(service: "test.Hops", name: "Second", kind: .unary)
    static let third = Method<Bytes, Bytes>(service: "test.Hops", name: "Third", kind: .unary)

    /// Three services in a row; what the last does is `end`, what each passes on is `options`.
    private func withChain(
        options: CallOptions = .none, pause: Duration = .zero,
        end: @escaping @Sendable (Bytes, CallContext) async throws -> Bytes,
        seeing deadline: @escaping @Sendable (Int, ContinuousClock.Instant?) -> Void = { _, _ in },
        _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        var routers = [Router(), Router(), Router()]
        routers[2].unary(Self.third) { request, context in
            deadline(3, context.deadline)
            return try await end(request, context)
        }
        let last = routers[2]
        try await withServer(last) { inner, _, _ in
            var router = Router()
            router.unary(Self.second) { request, context in
                deadline(2, context.deadline)
                try await Task.sleep(for: pause)
                return try await inner.unary(Self.third, request, options: options)
            }
            try await withServer(router) { middle, _, _ in
                var router = Router()
                router.unary(Self.first) { request, context in
                    deadline(1, context.deadline)
                    try await Task.sleep(for: pause)
                    return try await middle.unary(Self.second, request, options: options)
                }
                try await withServer(router) { client, _, _ in try await body(client) }
            }
        }
    }

    @Test func `a deadline shrinks from hop to hop, and a longer one of a hop does not stretch it`()
        async throws
    {
        let seen = Mutex<[Int: ContinuousClock.Instant]>([:])
        let begun = ContinuousClock.now
        try await withChain(
            options: CallOptions(deadline: .seconds(86_400)), pause: .milliseconds(500)
        ) { request, _ in
            request
        } seeing: { hop, deadline in
            seen.withLock { $0[hop] = deadline }
        } _: { client in
            _ = try await client.unary(
                Self.first, Bytes([1]), options: CallOptions(deadline: .seconds(3600)))
        }
        let deadlines = seen.withLock { $0 }
        #expect(deadlines.count == 3)
        // None begins anew, though each takes its time. On its way a deadline is told as what is left,
        // in milliseconds.
        for hop in 1...3 {
            let deadline = try #require(deadlines[hop])
            let before = hop == 1 ? begun + .seconds(3600) : try #require(deadlines[hop - 1])
            #expect(abs((deadline - before) / .seconds(1)) < 0.25, "hop \(hop)")
        }
    }

    @Test func `a call that does not inherit, and a detached one, have no deadline`() async throws {
        let seen = Mutex<[String]>([])
        var end = Router()
        end.unary(Self.third) { request, context in
            seen.withLock { $0.append(context.deadline == nil ? "none" : "some") }
            return request
        }
        try await withServer(end) { inner, _, _ in
            var router = Router()
            router.unary(Self.first) { request, _ in
                _ = try await inner.unary(Self.third, request)
                var options = CallOptions()
                options.inheritsDeadline = false
                _ = try await inner.unary(Self.third, request, options: options)
                return try await CallContext.detachedFromDeadline {
                    try await inner.unary(Self.third, request)
                }
            }
            try await withServer(router) { client, _, _ in
                _ = try await client.unary(
                    Self.first, Bytes([1]), options: CallOptions(deadline: .seconds(3600)))
            }
        }
        #expect(seen.withLock { $0 } == ["some", "none", "none"])
    }

    @Test func `a deadline that passes ends every hop`() async throws {
        let ended = Gate()
        try await withChain { _, _ in
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                ended.open()
                throw error
            }
            return Bytes([])
        } _: { client in
            let late = await status {
                _ = try await client.unary(
                    Self.first, Bytes([1]), options: CallOptions(deadline: .milliseconds(300)))
            }
            #expect(late.code == .deadlineExceeded)
            await ended.wait()
        }
        #expect(ended.isOpen)
    }

    @Test func `cancelling a call cancels those it has led to, three hops on`() async throws {
        let (begun, ended) = (Gate(), Gate())
        try await withChain { _, _ in
            begun.open()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                ended.open()
                throw error
            }
            return Bytes([])
        } _: { client in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    let cancelled = await status {
                        _ = try await client.unary(Self.first, Bytes([1]))
                    }
                    #expect(cancelled.code == .cancelled)
                }
                await begun.wait()
                group.cancelAll()
            }
            await ended.wait()
        }
        #expect(ended.isOpen)
    }
}
