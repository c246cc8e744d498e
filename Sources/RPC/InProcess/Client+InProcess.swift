import NIOCore

extension Client {
    /// Keeps a connection to a server of this process until the task is cancelled.
    func run(with server: Server) async throws {
        let address = ClientCore.Address(host: "in-process", numeric: "in-process", port: 0)
        guard let stay = core.resolved([address]).first else { return }
        while !Task.isCancelled {
            do {
                _ = try await server.listeningAddresses()
            } catch {
                core.failed(stay, Status(describing: error))
                break
            }
            await keepConnection(to: server, stay)
        }
        // The server cannot run again; calls fail at once from now on.
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(3600)) } catch { return }
        }
    }

    private func keepConnection(to server: Server, _ stay: ClientCore.Stay) async {
        let unusable = core.loop.makePromise(of: Status.self)
        let endpoint = core.look { $0.endpoint(of: stay) }
        let core = core
        let link: InProcessLink
        do {
            link = try await core.loop.submit {
                InProcessLink(server, core: core, endpoint: endpoint, unusable: unusable)
            }.get()
        } catch {
            unusable.fail(error)
            return
        }
        guard server.take(link) else {
            link.close()
            return
        }
        core.opened(link.connection)
        core.ready(link.connection, stay, isServing: true)
        let status = await withTaskCancellationHandler {
            do {
                return try await unusable.futureResult.get()
            } catch {
                return Status(describing: error)
            }
        } onCancel: {
            link.close()
        }
        core.unusable(link.connection, stay, status)
    }
}
