import ArgumentParser
import FoundationEssentials
import RPC
import Schema
import ServiceKit

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a model until told to end.",
        discussion: """
            Example: hone-inference serve --listen 127.0.0.1:7404 --model ~/models/selfee-7b
            """)

    @OptionGroup var options: ServiceOptions
    @OptionGroup var connections: ConnectionOptions
    @OptionGroup var modelOptions: ModelOptions
    @Option(
        help: """
            The model: a folder in the Hugging Face layout, or a name registered with the data \
            service (default: HONE_MODEL, else none until the Load call).
            """)
    var model: String?

    func run() async throws {
        let settings = try options.settings(for: .inference)
        var service = ServiceHost(settings)
        let host = ModelHost(try modelOptions.settings())
        let isDataKnown = connections.address(of: .data) != nil
        let data = isDataKnown ? try service.client(of: .data, connections) : nil
        let registry = ModelRegistry(data: data, folder: settings.path("models"))
        var router = Router()
        router.register(InferenceHandler(host: host, registry: registry))
        service.serve(router)
        service.add("model") { try await host.run() }
        if let name = model ?? HoneEnvironment.process["MODEL"] {
            service.beforeReady { _ in try await registry.load(name, into: host) }
        }
        try await service.run()
    }
}
