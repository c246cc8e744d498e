/// Follows what a server says of a service's health, and tells the client.
///
/// - Source: gRPC, proposal A17 and doc/health-checking.md.
struct HealthWatch: Sendable {
    let service: String
    let stay: ClientCore.Stay
    let core: ClientCore

    /// Watches until the task is cancelled, or the server turns out not to know the call.
    func run(on connection: ClientConnection) async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let status = await watch(on: connection) { failures = 0 }
            // A lost connection says nothing of the server's health; another follows.
            if Task.isCancelled || !connection.isUsable { return }
            if status.code == .unimplemented { return core.serves(stay) }
            failures += 1
            core.failed(
                stay, Status(.unavailable, "\(stay.address) tells no health: \(status)"),
                isHealth: true)
            do {
                try await Task.sleep(
                    for: core.configuration.backoff.delay(
                        afterFailures: failures, using: &random))
            } catch {
                return
            }
        }
    }

    /// One call of the watch; how it ended.
    private func watch(on connection: ClientConnection, _ heard: () -> Void) async -> Status {
        let call = ClientCall(.watch(HealthService.watch), core: core)
        core.start(call, on: connection)
        do {
            return try await withTaskCancellationHandler {
                try await call.write(HealthCheckRequest(service: service).encoded())
                call.finishWriting()
                while let bytes = try await call.nextMessage() {
                    heard()
                    let answer: HealthCheckResponse = try call.decode(bytes)
                    if answer.status == .serving {
                        core.serves(stay)
                    } else {
                        core.failed(
                            stay,
                            Status(
                                .unavailable,
                                "\(stay.address) says that \"\(service)\" is \(answer.status)"),
                            isHealth: true)
                    }
                }
                return Status(.unavailable, "the watch ended")
            } onCancel: {
                call.end(Status(.cancelled, "the watch is over"))
            }
        } catch {
            let status = Status(describing: error)
            call.end(status)
            return status
        }
    }
}
