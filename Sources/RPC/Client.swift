/// Makes calls over HTTP/2, to all servers of a target.
public final class Client: Sendable {
    private let target: Target
    private let configuration: ClientConfiguration

    public init(_ target: Target, _ configuration: ClientConfiguration = ClientConfiguration()) {
        self.target = target
        self.configuration = configuration
    }

    /// Keeps the connections; calls wait until this runs, and fail once it was cancelled.
    public func run() async throws {
    }

    public func unary<Request, Response>(
        _ method: Method<Request, Response>, _ request: Request, options: CallOptions = .none
    ) async throws -> Response {
        throw Status(.unimplemented, "not yet")
    }

    public func serverStreaming<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>, _ request: Request, options: CallOptions = .none,
        _ body: (ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        throw Status(.unimplemented, "not yet")
    }

    public func clientStreaming<Request, Response>(
        _ method: Method<Request, Response>, options: CallOptions = .none,
        _ body: @Sendable (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response {
        throw Status(.unimplemented, "not yet")
    }

    public func bidirectional<Request, Response, Result: Sendable>(
        _ method: Method<Request, Response>, options: CallOptions = .none,
        _ requests: @escaping @Sendable (RequestWriter<Request>) async throws -> Void,
        _ body: (ResponseStream<Response>) async throws -> Result
    ) async throws -> Result {
        throw Status(.unimplemented, "not yet")
    }
}
