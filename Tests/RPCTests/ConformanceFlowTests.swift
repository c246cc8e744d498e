import RPC
import Testing
import Wire

/// What every transport owes to calls: deadlines, cancellation, back-pressure, drain.
@Suite(.timeLimit(.minutes(5)))
struct ConformanceFlowTests {
    @Test(arguments: Transport.allCases)
    func `a deadline ends the caller's wait and the handler`(over transport: Transport) async throws
    {
        let cancelled = Gate()
        var router = Router()
        router.unary(Echo.unary) { request, context in
            #expect(context.deadline != nil)
            await Gate().wait()
            if Task.isCancelled { cancelled.open() }
            return request
        }
        try await transport.serving(router) { client in
            let options = CallOptions(deadline: .milliseconds(50))
            let status = await status {
                _ = try await client.unary(Echo.unary, Bytes([]), options: options)
            }
            #expect(status.code == .deadlineExceeded)
            await cancelled.wait()
            let late = await RPCTests.status {
                _ = try await client.unary(
                    Echo.unary, Bytes([]), options: CallOptions(deadline: .zero))
            }
            #expect(late.code == .deadlineExceeded)
        }
    }

    @Test(arguments: Transport.allCases)
    func `a cancelled call's handler knows before the next call begins`(
        over transport: Transport
    ) async throws {
        for _ in 0..<5 {
            let (begun, cancelled) = (Gate(), Gate())
            var router = Router()
            router.unary(Echo.unary) { request, _ in
                await withTaskCancellationHandler {
                    begun.open()
                    await Gate().wait()
                } onCancel: {
                    cancelled.open()
                }
                return request
            }
            router.unary(Echo.repeatable) { _, _ in Bytes([cancelled.isOpen ? 1 : 0]) }
            try await transport.serving(router) { client in
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await client.unary(Echo.unary, Bytes([])) }
                    await begun.wait()
                    group.cancelAll()
                    let status = await status { try await group.waitForAll() }
                    #expect(status.code == .cancelled)
                }
                try await expectEqual(client.unary(Echo.repeatable, Bytes([])), Bytes([1]))
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func `a handler that returns early ends the caller's writing`(
        over transport: Transport
    ) async throws {
        var router = Router()
        router.bidirectional(Echo.chat) { requests, responses, _ in
            for try await request in requests {
                try await responses.write(request)
                return
            }
        }
        try await transport.serving(router) { client in
            for _ in 0..<10 {
                let count = try await client.bidirectional(Echo.chat) { writer in
                    while true { try await writer.write(Bytes(count: 10_000)) }
                } _: { answers in
                    try await answers.reduce(into: 0) { count, _ in count += 1 }
                }
                #expect(count == 1)
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func `a reader who has enough ends the handler`(over transport: Transport) async throws {
        let cancelled = Gate()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            do {
                while true { try await responses.write(Bytes(count: 1000)) }
            } catch {
                cancelled.open()
                throw error
            }
        }
        try await transport.serving(router) { client in
            let first = try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                for try await answer in answers { return answer.bytes.count }
                return 0
            }
            #expect(first == 1000)
            await cancelled.wait()
        }
    }

    @Test(arguments: Transport.allCases)
    func `a handler waits while its caller does not read`(over transport: Transport) async throws {
        let written = Counter()
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            for _ in 0..<1000 {
                try await responses.write(Bytes(count: 64 << 10))
                written.add()
            }
        }
        var server = ServerConfiguration()
        server.writeBufferBytes = 128 << 10
        var client = ClientConfiguration()
        client.streamWindowBytes = 256 << 10
        try await transport.serving(router, server, client: client) { client in
            try await client.serverStreaming(Echo.expand, Bytes([])) { answers in
                var iterator = answers.makeAsyncIterator()
                _ = try await iterator.next()
                // So many fit into window and buffer, so that it gets there however slow it is.
                try await written.rest(atLeast: 4)
                // The window, the write buffer and what the socket was given.
                #expect(written.value < 100)
                var count = 1
                while try await iterator.next() != nil {
                    count += 1
                    #expect(written.value - count < 100)
                }
                #expect(count == 1000)
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func `a caller waits while the handler does not read`(over transport: Transport) async throws {
        let release = Gate()
        let written = Counter()
        var router = Router()
        router.clientStreaming(Echo.collect) { requests, _ in
            await release.wait()
            let count = try await requests.reduce(into: 0) { count, _ in
                count += 1
                #expect(written.value - count < 100)
            }
            return Bytes([UInt8(count / 4)])
        }
        var server = ServerConfiguration()
        server.streamWindowBytes = 256 << 10
        var client = ClientConfiguration()
        client.writeBufferBytes = 128 << 10
        try await transport.serving(router, server, client: client) { client in
            async let answer = client.clientStreaming(Echo.collect) { writer in
                for _ in 0..<1000 {
                    try await writer.write(Bytes(count: 64 << 10))
                    written.add()
                }
            }
            try await written.rest(atLeast: 4)
            #expect(written.value < 100)
            release.open()
            let sum = try await answer
            #expect(sum == Bytes([250]))
        }
    }

    @Test(arguments: Transport.allCases)
    func `messages larger than every window arrive`(over transport: Transport) async throws {
        var server = ServerConfiguration()
        server.streamWindowBytes = 64 << 10
        server.connectionWindowBytes = 64 << 10
        var client = ClientConfiguration()
        client.streamWindowBytes = 64 << 10
        client.connectionWindowBytes = 64 << 10
        try await transport.serving(Echo.router, server, client: client) { client in
            let message = Bytes(count: 3 << 20)
            try await expectEqual(client.unary(Echo.unary, message), message)
        }
    }

    @Test(arguments: Transport.allCases)
    func `a full memory makes handlers wait, and nothing is lost`(
        over transport: Transport
    ) async throws {
        let budget = MemoryBudget(limitBytes: 8 << 20)
        var server = ServerConfiguration()
        server.memory = budget
        server.connectionMemoryBytes = 1 << 20
        server.slowReaderLimit = .seconds(600)
        var client = ClientConfiguration()
        client.streamWindowBytes = 128 << 10
        var router = Router()
        router.serverStreaming(Echo.expand) { _, responses, _ in
            for _ in 0..<16 { try await responses.write(Bytes(count: 64 << 10)) }
        }
        try await transport.serving(router, server, client: client) { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        // Until the server has room for the call.
                        while true {
                            do {
                                return try await client.serverStreaming(Echo.expand, Bytes([])) {
                                    answers in
                                    try await Task.sleep(for: .milliseconds(20))
                                    return try await answers.reduce(into: 0) { count, _ in
                                        count += 1
                                    }
                                }
                            } catch let status as Status where status.code == .resourceExhausted {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                    }
                }
                for try await count in group { #expect(count == 16) }
            }
            #expect(budget.peakBytes < 3 << 20)
        }
        while budget.usedBytes != 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
}
