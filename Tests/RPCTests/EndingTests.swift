import RPC
import Synchronization
import Testing
import Wire

/// Deadlines and cancellation, which end both sides.
@Suite(.timeLimit(.minutes(5)))
struct EndingTests {
    /// A handler that waits until it is cancelled, and says so.
    private func waitingRouter(_ begun: Gate, _ cancelled: Gate) -> Router {
        var router = Router()
        router.unary(Echo.unary) { request, context in
            begun.open()
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
            try Task.checkCancellation()
            return request
        }
        router.bidirectional(Echo.chat) { requests, responses, _ in
            begun.open()
            do {
                for try await request in requests { try await responses.write(request) }
            } catch {
                cancelled.open()
                throw error
            }
        }
        return router
    }

    @Test func `a deadline ends the caller and the handler`() async throws {
        let (begun, cancelled) = (Gate(), Gate())
        try await withServer(waitingRouter(begun, cancelled)) { client, _, _ in
            var deadline = Duration.milliseconds(100)
            // On a busy machine the first deadlines may pass before the handler is reached.
            while !begun.isOpen {
                let started = ContinuousClock.now
                let options = CallOptions(deadline: deadline)
                let status = await status {
                    _ = try await client.unary(Echo.unary, Bytes([]), options: options)
                }
                #expect(status.code == .deadlineExceeded)
                #expect(ContinuousClock.now - started >= deadline)
                deadline *= 2
            }
            await cancelled.wait()
        }
    }

    @Test func `a call passes its deadline on to the calls it makes`() async throws {
        try await withServer(waitingRouter(Gate(), Gate())) { inner, _, _ in
            var router = Router()
            let seen = Mutex(Status.ok)
            let noted = Gate()
            let begun = Gate()
            router.unary(Echo.unary) { request, _ in
                begun.open()
                let status = await status { _ = try await inner.unary(Echo.unary, request) }
                seen.withLock { $0 = status }
                noted.open()
                // An answer now might come before the caller has seen its deadline pass.
                await Gate().wait()
                return request
            }
            try await withServer(router) { client, _, _ in
                var deadline = Duration.milliseconds(100)
                while !begun.isOpen {
                    let options = CallOptions(deadline: deadline)
                    let status = await status {
                        _ = try await client.unary(Echo.unary, Bytes([]), options: options)
                    }
                    #expect(status.code == .deadlineExceeded)
                    deadline *= 2
                }
                await noted.wait()
                let inner = seen.withLock { $0 }
                #expect(inner.code == .deadlineExceeded || inner.code == .cancelled)
            }
        }
    }

    @Test func `cancelling the caller's task cancels the handler`() async throws {
        let (begun, cancelled) = (Gate(), Gate())
        try await withServer(waitingRouter(begun, cancelled)) { client, _, _ in
            await withTaskGroup(of: Status.self) { group in
                group.addTask {
                    await status { _ = try await client.unary(Echo.unary, Bytes([])) }
                }
                await begun.wait()
                group.cancelAll()
                #expect(await group.next()?.code == .cancelled)
            }
            await cancelled.wait()
            #expect(cancelled.isOpen)
        }
    }

    @Test func `a caller that leaves a stream early cancels the handler`() async throws {
        let (begun, cancelled) = (Gate(), Gate())
        try await withServer(waitingRouter(begun, cancelled)) { client, _, _ in
            let first = try await client.bidirectional(Echo.chat) { writer in
                try await writer.write(Bytes([1]))
                await Gate().wait()
            } _: { answers in
                for try await answer in answers { return answer }
                return Bytes([])
            }
            #expect(first == Bytes([1]))
            await cancelled.wait()
            #expect(cancelled.isOpen)
        }
    }

    @Test func `a handler that returns early ends the caller's writing`() async throws {
        var router = Router()
        router.bidirectional(Echo.chat) { requests, responses, _ in
            for try await request in requests {
                try await responses.write(request)
                return
            }
        }
        try await withServer(router) { client, _, _ in
            for _ in 0..<50 {
                let count = try await client.bidirectional(Echo.chat) { writer in
                    while true { try await writer.write(Bytes(count: 10_000)) }
                } _: { answers in
                    try await answers.reduce(into: 0) { count, _ in count += 1 }
                }
                #expect(count == 1)
            }
            _ = await status { _ = try await client.unary(Echo.unary, Bytes([])) }
        }
    }

    @Test func `a caller's own error ends the call and comes back`() async throws {
        struct Mine: Error {}
        let (begun, cancelled) = (Gate(), Gate())
        try await withServer(waitingRouter(begun, cancelled)) { client, _, _ in
            await #expect(throws: Mine.self) {
                try await client.bidirectional(Echo.chat) { writer in
                    try await writer.write(Bytes([1]))
                    await Gate().wait()
                } _: { answers in
                    for try await _ in answers { throw Mine() }
                }
            }
            await cancelled.wait()
        }
    }
}
