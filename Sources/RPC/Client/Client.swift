import NIOCore
import NIOPosix
import Synchronization
import TLS
import Wire

/// Makes calls over HTTP/2, to all servers of a target.
public final class Client: Sendable {
    package let core: ClientCore
    /// Whose calls are made without a network; nil of none.
    private let inProcess: Server?

    public init(_ target: Target, _ configuration: ClientConfiguration = ClientConfiguration()) {
        core = ClientCore(target, configuration)
        inProcess = nil
    }

    /// Makes calls over what another has made of the core.
    init(_ core: ClientCore) {
        self.core = core
        inProcess = nil
    }

    /// Makes calls to a server of this process: no sockets, no frames, the same semantics.
    ///
    /// The server must run, though it need not listen anywhere. Settings of names, of TLS and of
    /// keepalive are without meaning here; all others hold.
    public init(
        inProcess server: Server, _ configuration: ClientConfiguration = ClientConfiguration()
    ) {
        core = ClientCore(.addresses([.init(host: "in-process", port: 0)]), configuration)
        inProcess = server
    }

    /// Keeps the connections; calls wait until this runs, and fail once it was cancelled.
    public func run() async throws {
        guard core.begin() else { return }
        defer { core.stop() }
        if let inProcess { return try await run(with: inProcess) }
        let configuration = core.configuration
        let tls = try configuration.tls.map { try TLSFiles(.client, $0) }
        let told = configuration.certificatesReloaded ?? { _ in }
        try await TLSFiles.watched(tls, every: configuration.certificatePollInterval, told) {
            await keepConnections(tls)
        }
    }

    private func keepConnections(_ tls: TLSFiles?) async {
        let (ticks, ticker) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let timer = loop.scheduleRepeatedTask(
            initialDelay: .zero, delay: .init(core.configuration.resolveInterval)
        ) { _ in ticker.yield() }
        defer { timer.cancel() }
        core.change { $0.resolveNow = ticker }
        let core = core
        let sweep = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            core.tick(at: .now)
        }
        defer { sweep.cancel() }
        await withDiscardingTaskGroup { group in
            var resolution = TargetResolution(core.configuration.names)
            for await _ in ticks {
                func use(_ addresses: [Target.Address], _ failure: Status?, isComplete: Bool) {
                    let stays = core.resolved(
                        addresses.map(ClientCore.Address.init), failure: failure,
                        isComplete: isComplete)
                    for stay in stays {
                        let server = ClientServer(
                            stay: stay, core: core, tls: tls, resolveAgain: { ticker.yield() })
                        group.addTask { await server.run() }
                    }
                }
                let (addresses, failure) = await resolution.update(core.target) { addresses in
                    use(addresses, nil, isComplete: false)
                }
                use(addresses, failure, isComplete: true)
            }
        }
    }

    /// Where the client's connections live: a task that prefers it makes its calls without
    /// changing threads.
    ///
    /// Fastest for many short calls; what runs there must not block, for it holds up every call.
    /// ```swift
    /// try await withTaskExecutorPreference(client.executor) {
    ///     for request in requests { answers.append(try await client.unary(method, request)) }
    /// }
    /// ```
    public var executor: any TaskExecutor { core.executor }

    /// Changes the servers, at once: new ones are connected to, and those that are gone finish
    /// their open calls and get no more.
    public func update(_ target: Target) {
        core.update(target)
    }

    // MARK: Calls

    public func unary<Request, Response>(
        _ method: Method<Request, Response>, _ request: Request, options: CallOptions = .none
    ) async throws -> Response {
        try await answering(method, request.encoded(), options) { call in
            try await call.onlyMessage(as: Response.self)
        }
    }

    public func serverStreaming<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>, _ request: Request, options: CallOptions = .none,
        _ body: (ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        try await answering(method, request.encoded(), options) { call in
            try await body(ResponseStream(call: call))
        }
    }

    /// Makes a call of one request.
    private func answering<Request, Response, Result>(
        _ method: Method<Request, Response>, _ request: [UInt8], _ options: CallOptions,
        _ body: (ClientCall) async throws -> Result
    ) async throws -> Result {
        try await intercepted(method, options) { plan in
            if let policy = plan.policy.hedging, method.idempotent {
                return try await hedged(plan, policy, request, body)
            }
            return try await perform(plan) { call in
                try await call.write(request)
                call.finishWriting()
                return try await body(call)
            }
        }
    }

    /// Lets `body` make a call as the options say, by way of the interceptors if there are any.
    private func intercepted<Request, Response, Result>(
        _ method: Method<Request, Response>, _ options: CallOptions,
        _ body: (ClientCall.Plan) async throws -> Result
    ) async throws -> Result {
        let interceptors = core.configuration.interceptors
        guard !interceptors.isEmpty else { return try await body(plan(method, options, nil)) }
        let exchange = ClientExchange(
            method: method.path, kind: method.kind, isIdempotent: method.idempotent,
            options: options)
        return try await interceptors.around(exchange) { exchange in
            try await body(plan(method, exchange.options, exchange.transforms))
        }
    }

    public func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>, options: CallOptions = .none,
        _ body: @Sendable (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response {
        try await intercepted(method, options) { plan in
            try await perform(plan) { call in
                try await Self.writing(call, body)
                return try await call.onlyMessage(as: Response.self)
            }
        }
    }

    public func bidirectional<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>, options: CallOptions = .none,
        _ requests: @escaping @Sendable (RequestWriter<Request>) async throws -> Void,
        _ body: (ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        try await intercepted(method, options) { plan in
            try await perform(plan) { call in
                try await Self.exchanging(call, requests) {
                    try await body(ResponseStream(call: call))
                }
            }
        }
    }

    /// Runs a caller's writer beside its reader.
    private static func exchanging<Request, Result: Sendable>(
        _ call: ClientCall,
        _ requests: @escaping @Sendable (RequestWriter<Request>) async throws -> Void,
        _ reader: () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await Self.writing(call, requests)
                } catch {
                    // The reader gets this failure, unless the call had ended before.
                    call.end(Status(describing: error))
                }
            }
            // The call ends before its writer is cancelled: a writer that returns because of
            // that must not look to the service like one that has written all.
            defer {
                call.end(Status(.cancelled, "the caller needed no more answers"))
                group.cancelAll()
            }
            return try await reader()
        }
    }

    /// Runs a caller's writer and closes the stream of requests after it.
    ///
    /// A call that the service has ended already is not the writer's failure: the reader gets
    /// its outcome.
    private static func writing<Request>(
        _ call: ClientCall, _ body: (RequestWriter<Request>) async throws -> Void
    ) async throws {
        do {
            try await body(RequestWriter(sink: call))
            call.finishWriting()
        } catch {
            guard call.state.withLock({ $0.ending == nil }) else { return }
            throw error
        }
    }

    /// Starts a call, lets `body` use it, and leaves nothing of it behind.
    private func perform<Result>(
        _ plan: ClientCall.Plan, _ body: (ClientCall) async throws -> Result
    ) async throws -> Result {
        let call = ClientCall(plan, core: core)
        core.start(call)
        do {
            let result = try await withTaskCancellationHandler {
                try await body(call)
            } onCancel: {
                call.end(Status(.cancelled, "the caller's task was cancelled"))
            }
            call.end(Status(.cancelled, "the caller needed no more answers"))
            return result
        } catch {
            let status = Status(describing: error)
            call.end(Status(.cancelled, "the caller failed: \(status.message)"))
            if error is CancellationError || error is Status { throw status }
            throw error
        }
    }

    private func plan<Request, Response>(
        _ method: Method<Request, Response>, _ options: CallOptions,
        _ transforms: MessageTransforms?
    ) -> ClientCall.Plan {
        let now = ContinuousClock.now
        let policy = core.policies.policy(path: method.path, service: method.service)
        var deadline = (options.deadline ?? policy.timeout).map { now + $0 }
        if options.inheritsDeadline, let inherited = CallContext.inheritedDeadline {
            deadline = deadline.map { min($0, inherited) } ?? inherited
        }
        return ClientCall.Plan(
            path: method.path, kind: method.kind, policy: policy,
            isIdempotent: method.idempotent,
            waitsForReady: options.waitForReady ?? policy.waitForReady,
            metadata: options.metadata, deadline: deadline,
            limit: MessageLimit(
                type: Response.wireName, bytes: Response.maximumBytes,
                option: "ClientConfiguration.maximumResponseBytes",
                optionBytes: core.configuration.maximumResponseBytes),
            counters: method.counters, begun: now, affinity: options.affinity.map(HashRing.hash),
            answersRetry: CallContext.answersRetry,
            deflater: options.compression.map { _ in
                MessageDeflater(minimumBytes: core.configuration.minimumCompressedBytes)
            },
            acceptsCompression: options.compression != nil
                || core.configuration.acceptsCompression, transforms: transforms)
    }
}
