public import RPC
public import Schema
import Wire

/// Tells what a server answers, with the schemas' texts, and the numbers of its process.
///
/// `ServiceHost` adds it to every service.
public struct AdminHandler: AdminAPI.Handler {
    private let paths: [String]
    private let registry: MetricsRegistry

    /// - Parameter router: the calls to tell of; those of `hone.Admin` and of the health probe are
    ///   told of besides.
    public init(describing router: Router, registry: MetricsRegistry = .shared) {
        let own = [
            AdminAPI.describe.path, AdminAPI.metrics.path,
            "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
        ]
        paths = Set(router.paths + own).sorted()
        self.registry = registry
    }

    public func describe(
        _ request: DescribeRequest, _ context: CallContext
    ) async throws -> Description {
        let paths = paths.filter {
            request.service.isEmpty || $0.hasPrefix("/\(request.service)/")
        }
        guard !paths.isEmpty else {
            throw Status(.notFound, "this server has no service \"\(request.service)\"")
        }
        let services = Set(paths.map { String($0.dropFirst().prefix { $0 != "/" }) })
        let schemas = try SchemaTexts.declaring(services: services)
        return Description.with {
            $0.paths = paths
            $0.schemas = schemas
            $0.hash = SchemaTexts.hash(of: schemas)
        }
    }

    public func metrics(
        _ request: MetricsRequest, _ context: CallContext
    ) async throws -> MetricsReply {
        MetricsReply.with { $0.text = registry.exposition() }
    }
}

extension SchemaText.Fault: StatusConvertible {
    public var status: Status { Status(.internal, "\(self)") }
}
