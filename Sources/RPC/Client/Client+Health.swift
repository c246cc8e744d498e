extension Client {
    /// Asks `grpc.health.v1.Health` how a service is.
    ///
    /// - Parameter service: a name such as `hone.Data`; empty asks for the server as a whole.
    /// - Throws: a `Status`, `notFound` where the server knows no such service.
    public func health(
        of service: String = "", options: CallOptions = .none
    ) async throws -> Health.ServingStatus {
        try await unary(
            HealthService.check, HealthCheckRequest(service: service), options: options
        ).status
    }
}
