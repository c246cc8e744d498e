import ArgumentParser
import FoundationEssentials
import Logging
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
            service (default: HONE_MODEL). What the call Load has loaded since is loaded again.
            """)
    var model: String?

    func run() async throws {
        let settings = try options.settings(for: .inference)
        var service = ServiceHost(settings)
        let host = ModelHost(try modelOptions.settings())
        let isDataKnown = connections.address(of: .data) != nil
        let data = isDataKnown ? try service.client(of: .data, connections) : nil
        let named = model ?? HoneEnvironment.process["MODEL"]
        let registry = ModelRegistry(
            data: data, folder: settings.path("models"),
            memory: ModelMemory(file: settings.path("loaded-model.json"), named: named))
        var router = Router()
        router.register(InferenceHandler(host: host, registry: registry))
        let health = service.serve(router).health
        service.add("model") { try await host.run() }
        // Probes of this name see whether a model serves; the process itself is well without one.
        health.set(service: "hone.Inference", .notServing)
        service.add("health of the model") {
            for await _ in host.beginnings { health.set(service: "hone.Inference", .serving) }
        }
        let logger = service.logger
        service.beforeReady { _ in
            do {
                if try await registry.reload(into: host) { return }
            } catch {
                logger.warning(
                    "the model that served last cannot be loaded",
                    metadata: ["error": "\(error)"])
            }
            if let named { try await registry.load(named, into: host) }
        }
        try await service.run()
    }

}
