public import RPC
import Schema

/// The numbers of other services, asked of them.
public enum ServiceMetrics {
    /// How long a service may take to tell its numbers.
    private static let limit = Duration.seconds(2)

    /// Asks all services at once; each one's numbers bear its name and, where it has one, its
    /// instance. One that does not answer is told of as `hone_service_up 0`.
    public static func collect(
        _ services: [(name: ServiceName, instance: String, client: Client)],
        into merged: inout MetricsText
    ) async {
        let texts = await withTaskGroup(of: (Int, String).self) { group in
            for (index, service) in services.enumerated() {
                group.addTask { (index, await text(of: service.client)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (index, service) in services.enumerated() {
            let instance =
                service.instance.isEmpty ? [] : [("instance", service.instance)]
            merged.add(
                texts[index] ?? "", labels: [("service", service.name.rawValue)] + instance)
        }
    }

    private static func text(of client: Client) async -> String {
        do {
            let reply = try await client.unary(
                AdminAPI.metrics, MetricsRequest(), options: CallOptions(deadline: limit))
            return MetricsText.isUp(true) + reply.text
        } catch {
            // That it is away is the number.
            return MetricsText.isUp(false)
        }
    }
}
