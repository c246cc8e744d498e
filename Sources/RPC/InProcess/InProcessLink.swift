import NIOCore

/// A client's connection to a server of its process, as tasks of both sides see it.
final class InProcessLink: Sendable {
    /// What the client's side sees of it.
    private struct Carrier: ClientCarrier {
        let exchanges: NIOLoopBound<InProcessExchanges>
        let closeFuture: EventLoopFuture<Void>

        func retire() { closeFuture.eventLoop.execute { exchanges.value.retire() } }
        func close() { closeFuture.eventLoop.execute { exchanges.value.close() } }
    }

    let connection: ClientConnection
    private let carrier: Carrier
    private let calls: AsyncStream<ServerCall>
    private let executor: LoopExecutor?

    /// Made on the client's loop.
    ///
    /// - Parameter unusable: told once the connection takes no new calls.
    init(
        _ server: Server, core: ClientCore, endpoint: ClientEndpoint,
        unusable: EventLoopPromise<Status>
    ) {
        executor = server.configuration.handlers == .eventLoop ? core.executor : nil
        let (calls, start) = AsyncStream.makeStream(of: ServerCall.self)
        self.calls = calls
        let closed = core.loop.makePromise(of: Void.self)
        let exchanges = InProcessExchanges(
            server, core: core, start: start, unusable: unusable, closed: closed)
        let bound = NIOLoopBound(exchanges, eventLoop: core.loop)
        carrier = Carrier(exchanges: bound, closeFuture: closed.futureResult)
        connection = ClientConnection(carrier, to: endpoint, core: core) { bound.value.update($0) }
        exchanges.attach(connection)
    }

    var closeFuture: EventLoopFuture<Void> { carrier.closeFuture }

    /// Runs the server's handlers until the connection is closed; closes it where the task is
    /// cancelled.
    func run() async {
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(executor) {
                await withDiscardingTaskGroup { group in
                    for await call in calls { group.addTask { await call.run() } }
                }
            }
        } onCancel: {
            close()
        }
    }

    /// Takes no new calls, and closes once those that are open have ended.
    func drain() {
        closeFuture.eventLoop.execute { self.carrier.exchanges.value.drain() }
    }

    func close() { carrier.close() }
}
