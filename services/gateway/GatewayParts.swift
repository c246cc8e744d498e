import Jobs
import RPC
import Schema
package import ServiceKit

/// Puts the gateway together.
package enum GatewayParts {
    package static func add(
        to host: inout ServiceHost, settings: GatewaySettings, connections: ConnectionOptions
    ) throws {
        let replicas = try ReplicaSet(
            try connections.target(of: .inference), tls: host.settings.tls,
            file: host.settings.path("model"))
        host.add("inference replicas") { await replicas.run() }
        let services = Services(
            data: try host.client(of: .data, connections),
            augmentation: try host.client(of: .augmentation, connections),
            trainer: try host.client(of: .trainer, connections),
            inference: replicas, evaluator: try host.client(of: .evaluator, connections))
        let table = try JobTable(path: host.settings.path("jobs.sqlite"))
        var router = Router()
        router.register(GatewayHandler(jobs: JobCalls(table), services: services))
        host.serve(router)
        host.add("jobs") { try await table.run([WorkflowRunner.kind: WorkflowRunner(services)]) }
        let http = GatewayHTTP(
            replicas: replicas, keys: settings.keys, usual: settings.usual,
            others: [
                (.data, services.data), (.augmentation, services.augmentation),
                (.trainer, services.trainer), (.evaluator, services.evaluator),
            ], logger: host.logger)
        let tls = host.settings.tls
        let part = HTTPPart(http.routes(), listen: settings.http, logger: host.logger, tls: tls)
        host.add("http", service: part)
        let scheme = tls == nil ? "http" : "https"
        host.beforeReady { $0.http = "\(scheme)://\(try await part.address())" }
    }
}
