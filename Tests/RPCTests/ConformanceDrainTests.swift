import RPC
import Testing
import Wire

/// How a server ends under its clients, over every transport.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceDrainTests {
    @Test(arguments: Transport.allCases)
    func `a drained server finishes open calls and takes no new ones`(over transport: Transport)
        async throws
    {
        let (begun, release) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await release.wait()
            return request
        }
        try await transport.servingLife(router) { client, life in
            async let answer = client.unary(Echo.unary, Bytes([7]))
            await begun.wait()
            life.server.drain()
            var late = Status.ok
            while late.code != .unavailable {
                late = await status {
                    _ = try await client.unary(
                        Echo.repeatable, Bytes([]), options: CallOptions(deadline: .seconds(5)))
                }
            }
            #expect(!life.hasEnded.isOpen)
            release.open()
            let finished = try await answer
            #expect(finished == Bytes([7]))
            await life.hasEnded.wait()
        }
    }

    @Test(arguments: Transport.allCases)
    func `a cancelled server ends open calls and their handlers`(over transport: Transport)
        async throws
    {
        let (begun, cancelled) = (Gate(), Gate())
        var router = Router()
        router.unary(Echo.unary) { request, _ in
            begun.open()
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
            try Task.checkCancellation()
            return request
        }
        try await transport.servingLife(router) { client, life in
            async let ended = status { _ = try await client.unary(Echo.unary, Bytes([])) }
            await begun.wait()
            life.cancel()
            // Not `cancelled`: that would say that the caller gave it up.
            await expectEqual(ended.code, .unavailable)
            await cancelled.wait()
            await life.hasEnded.wait()
        }
    }
}
