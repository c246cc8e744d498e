/// Answers calls over HTTP/2.
public final class Server: Sendable {
    /// What the server answers to health probes.
    public let health: Health = Health()
    private let configuration: ServerConfiguration
    private let router: Router

    public init(_ configuration: ServerConfiguration, router: Router) {
        self.configuration = configuration
        self.router = router
    }

    /// Serves until its task is cancelled, which ends open calls at once, or until drained.
    public func run() async throws {
        throw Status(.unimplemented, "not yet")
    }

    /// The port the server listens on; waits until it does, throws where it cannot.
    public func listeningPort() async throws -> Int {
        throw Status(.unimplemented, "not yet")
    }

    /// Takes no new calls, lets open ones finish, then makes ``run()`` return.
    public func drain() {
    }
}
