import HTTP2
import NIOCore
import Synchronization

/// The calls of a connection within a process; lives on the client's loop.
///
/// What the two sides' calls post is carried across here, each direction as far as its reader's
/// window allows.
final class InProcessExchanges {
    private let server: Server
    private let configuration: ServerConfiguration
    private let client: ClientConfiguration
    private let loop: any EventLoop
    private let deadlines: DeadlineTimer
    private let memory: ConnectionMemory
    private let start: AsyncStream<ServerCall>.Continuation
    private let unusable: EventLoopPromise<Status>
    private let closed: EventLoopPromise<Void>
    private var mailbox: Mailbox<ServerCall>?
    private weak var connection: ClientConnection?
    private var exchanges: [Int32: InProcessExchange] = [:]
    private var nextID: Int32 = 1
    private var isRetired = false
    private var isClosed = false
    private var isWatchingMemory = false

    init(
        _ server: Server, core: ClientCore, start: AsyncStream<ServerCall>.Continuation,
        unusable: EventLoopPromise<Status>, closed: EventLoopPromise<Void>
    ) {
        self.server = server
        configuration = server.configuration
        client = core.configuration
        loop = core.loop
        deadlines = DeadlineTimer(core.loop)
        memory = ConnectionMemory(
            server.configuration.memory, limitBytes: server.configuration.connectionMemoryBytes)
        self.start = start
        self.unusable = unusable
        self.closed = closed
    }

    func attach(_ connection: ClientConnection) {
        self.connection = connection
        connection.callLimit.store(configuration.maximumConcurrentStreams, ordering: .relaxed)
        let bound = NIOLoopBound(self, eventLoop: loop)
        mailbox = Mailbox(loop) { calls in bound.value.update(calls) }
    }

    // MARK: The client's side

    func update(_ calls: [ClientCall]) {
        for call in calls {
            let id = call.streamID.load(ordering: .relaxed)
            if let exchange = exchanges[id], exchange.client === call {
                apply(call.takeUpdate(), to: exchange)
            } else {
                begin(call)
            }
        }
    }

    private func begin(_ call: ClientCall) {
        let (isOurs, isEnded, attempts) = call.state.withLock { state in
            (state.connection === connection, state.ending != nil, state.attempts)
        }
        guard isOurs, let connection else { return }
        if isEnded {
            call.attemptEnded(on: connection)
            return connection.release()
        }
        guard !isRetired, exchanges.count < configuration.maximumConcurrentStreams else {
            call.attemptEnded(on: connection)
            call.attemptFailed(
                Status(.unavailable, "the connection takes no new calls"), .unseen,
                at: connection.endpoint)
            return connection.release()
        }
        let metadata = call.plan.metadata(attempts: attempts)
        switch route(of: call.plan.path, metadata) {
        case .failure(let refusal): finish(call, refusal.status, refusal.trailers, false)
        case .success(let route): open(call, route, metadata)
        }
    }

    private struct Refusal: Error {
        let status: Status
        var trailers = Metadata()
    }

    private func route(of path: String, _ metadata: Metadata) -> Result<Route, Refusal> {
        guard metadata.listBytes <= configuration.maximumHeaderBytes else {
            return .failure(
                Refusal(
                    status: Status(
                        .resourceExhausted,
                        "the request's headers exceed the limit of "
                            + "\(configuration.maximumHeaderBytes) bytes; send less metadata or "
                            + "raise ServerConfiguration.maximumHeaderBytes")))
        }
        guard let route = server.router.routes[path] else {
            return .failure(
                Refusal(status: Status(.unimplemented, "no handler answers \(path)")))
        }
        if let refusal = server.load.refusal(of: route, memory) {
            route.counters.countRefusal(refusal.status.code)
            return .failure(Refusal(status: refusal.status, trailers: refusal.trailers))
        }
        return .success(route)
    }

    private func open(_ call: ClientCall, _ route: Route, _ metadata: Metadata) {
        guard let mailbox else { return }
        let id = nextID
        nextID &+= 2
        let answer = ServerCall(
            route: route, streamID: id, metadata: metadata, deadline: call.plan.deadline,
            peer: Peer(address: "in process"), mailbox: mailbox, memory: memory, inflater: nil,
            deflater: nil, bounds: ServerCall.Bounds(configuration))
        route.counters.countStart()
        let exchange = InProcessExchange(
            call, answer,
            requests: InProcessFlow(
                windowBytes: configuration.streamWindowBytes, limit: route.limit,
                isCompressed: call.plan.deflater != nil),
            responses: InProcessFlow(
                windowBytes: client.streamWindowBytes, limit: call.plan.limit))
        call.streamID.store(id, ordering: .relaxed)
        exchanges[id] = exchange
        if let deadline = call.plan.deadline { deadlines.insert(answer, at: deadline) }
        if route.kind.streamsRequests { startHandler(exchange) }
        apply(call.takeUpdate(), to: exchange)
    }

    private func startHandler(_ exchange: InProcessExchange) {
        guard !exchange.hasStarted else { return }
        exchange.hasStarted = true
        start.yield(exchange.server)
    }

    private func apply(_ update: ClientCall.Update, to exchange: InProcessExchange) {
        exchange.responses.giveBack(update.credit)
        if update.ending != nil {
            forget(exchange)
            exchange.server.abandon(Status(.cancelled, "the caller gave up (cancel)"))
            return ended(exchange.server)
        }
        exchange.requests.append(update.chunks)
        if update.hasFinishedWriting { exchange.requests.isFinished = true }
        carryRequests(exchange)
        carryResponses(exchange)
    }

    private func carryRequests(_ exchange: InProcessExchange) {
        guard exchange.outcome == nil else { return }
        guard !memory.isShort else { return watchMemory() }
        do {
            while let delivery = try exchange.requests.next() {
                exchange.server.route.counters.countReceived(
                    messages: delivery.messages.count, bytes: delivery.count)
                exchange.requests.giveBack(
                    exchange.server.received(
                        delivery.messages, bytes: delivery.count, isLast: false))
                exchange.client.wrote(delivery.written)
            }
        } catch {
            return exchange.server.abandon(error)
        }
        guard exchange.requests.isFinished, exchange.requests.isEmpty, !exchange.hasEndedRequests
        else { return }
        exchange.hasEndedRequests = true
        _ = exchange.server.received(ShortQueue(), bytes: 0, isLast: true)
        startHandler(exchange)
    }

    // MARK: The server's side

    private func update(_ calls: [ServerCall]) {
        for call in calls {
            guard let exchange = exchanges[call.streamID], exchange.server === call else {
                continue
            }
            let update = call.takeUpdate()
            exchange.requests.giveBack(update.credit)
            if update.waitsForMemory { watchMemory() }
            if !exchange.hasHeaders, !update.chunks.isEmpty || update.headers != nil {
                exchange.hasHeaders = true
                received(update.headers ?? Metadata(), for: exchange)
            }
            exchange.responses.append(update.chunks)
            if let ending = update.ending { exchange.outcome = ending }
            carryRequests(exchange)
            carryResponses(exchange)
        }
    }

    private func received(_ headers: Metadata, for exchange: InProcessExchange) {
        guard headers.listBytes <= client.maximumHeaderBytes else {
            return fail(exchange, headerFault)
        }
        exchange.client.received(headers: headers, isCompressed: false)
    }

    private var headerFault: Status {
        Status(
            .resourceExhausted,
            "the answer's headers exceed the limit of \(client.maximumHeaderBytes) bytes; raise "
                + "ClientConfiguration.maximumHeaderBytes")
    }

    private func carryResponses(_ exchange: InProcessExchange) {
        guard exchanges[exchange.server.streamID] === exchange else { return }
        do {
            while let delivery = try exchange.responses.next() {
                exchange.client.plan.counters.countReceived(
                    messages: delivery.messages.count, bytes: delivery.count)
                exchange.responses.giveBack(
                    exchange.client.received(delivery.messages, bytes: delivery.count))
                exchange.server.wrote(delivery.written)
            }
        } catch {
            return fail(exchange, error)
        }
        guard let (status, trailers) = exchange.outcome, exchange.responses.isEmpty else { return }
        forget(exchange, releasing: false)
        ended(exchange.server)
        let isTooLong = trailers.listBytes > client.maximumHeaderBytes
        finish(
            exchange.client, isTooLong && status.code == .ok ? headerFault : status, trailers,
            exchange.hasHeaders)
    }

    /// Ends a call for what its caller cannot take.
    private func fail(_ exchange: InProcessExchange, _ status: Status) {
        forget(exchange)
        exchange.server.abandon(Status(.cancelled, "the caller gave up (cancel)"))
        ended(exchange.server)
        exchange.client.end(status)
    }

    /// Tells a caller how its call ended.
    private func finish(
        _ call: ClientCall, _ status: Status, _ trailers: Metadata, _ wasAnswered: Bool
    ) {
        guard let connection else { return }
        call.attemptEnded(on: connection)
        connection.note(status.code)
        connection.release()
        // What a wire would carry of it: message and details have bounds there.
        let told =
            status.code == .ok
            ? status : HeaderCodec.status(of: HeaderCodec.trailers(status, Metadata()))
        call.received(
            told ?? status, trailers: trailers, wasAnswered: wasAnswered, at: connection.endpoint)
        closeWhenIdle()
    }

    private func forget(_ exchange: InProcessExchange, releasing: Bool = true) {
        exchanges[exchange.server.streamID] = nil
        if exchange.server.hasDeadline { deadlines.remove(exchange.server) }
        guard releasing, let connection else { return }
        exchange.client.attemptEnded(on: connection)
        connection.release()
        closeWhenIdle()
    }

    private func ended(_ call: ServerCall) {
        call.releaseMemory()
        call.countEnd(call.ending ?? .ok, at: .now(), configuration.observer)
    }

    // MARK: Memory

    private func watchMemory() {
        guard !isWatchingMemory, !isClosed else { return }
        isWatchingMemory = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(20)) { bound.value.lookAtMemory() }
    }

    private func lookAtMemory() {
        isWatchingMemory = false
        guard !memory.isShort else { return watchMemory() }
        for exchange in Array(exchanges.values) {
            exchange.server.memoryCameFree()
            carryRequests(exchange)
        }
    }

    // MARK: The end

    /// The server takes no new calls.
    func drain() {
        becomeUnusable(Status(.unavailable, "the server is going away: noError"))
    }

    /// The client makes no new calls.
    func retire() {
        becomeUnusable(Status(.unavailable, "the connection was retired"))
    }

    private func becomeUnusable(_ status: Status) {
        isRetired = true
        connection?.callLimit.store(0, ordering: .relaxed)
        unusable.succeed(status)
        closeWhenIdle()
    }

    private func closeWhenIdle() {
        if isRetired, exchanges.isEmpty { close() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isRetired = true
        connection?.callLimit.store(0, ordering: .relaxed)
        let status = Status(.unavailable, "the connection was closed")
        unusable.succeed(status)
        var isFirst = true
        for exchange in Array(exchanges.values) {
            forget(exchange)
            exchange.server.abandon(
                Status(.cancelled, "the connection was lost: \(status.message)"))
            ended(exchange.server)
            exchange.client.attemptFailed(
                status, .lost(isFirst: isFirst), at: connection?.endpoint)
            isFirst = false
        }
        start.finish()
        closed.succeed(())
        mailbox = nil
    }
}
