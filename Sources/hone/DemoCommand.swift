import ArgumentParser
import Foundation
import RPC
import Schema
import ServiceKit
import Wire

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Run the whole loop on built-in drills.",
        discussion: """
            Starts all services, lets the tutor write chains, trains a small model, and shows that its \
            accuracy rises with the number of revisions.
            Example: hone demo --quick --report report.json
            """)

    @Flag(help: "Smaller drills and a smaller model: under 90 seconds on two cores.")
    var quick = false
    @Option(help: ArgumentHelp("Write everything as JSON.", valueName: "file")) var report: String?
    @Option(help: ArgumentHelp("Where the services keep their state.", valueName: "folder"))
    var dataDirectory: String?
    @OptionGroup var scale: ScaleOptions
    @Flag(help: "End the services afterwards.") var stop = false
    @Flag(help: "Print the report as JSON instead of tables.") var json = false

    func run() async throws {
        let began = ContinuousClock.now
        let services = LocalServices(directory: try folder())
        let size = quick ? DemoWorkflow.Scale.quick : .full
        var plan = LocalServices.Plan()
        plan.replicas = scale.replicas
        plan.httpPort = scale.httpPort
        plan.extra["tutor"] = ["--base", "\(size.base)"]
        do {
            try await services.start(plan) { StandardError.write("started \($0)\n") }
            let report = try await carryOut(services, size, began)
            if json { try JSONOutput.print(report) } else { print(report.table) }
            if let path = self.report {
                try Data((try JSONOutput.text(report) + "\n").utf8)
                    .write(to: URL(filePath: path), options: .atomic)
            }
            if stop {
                try await services.stop()
            } else if !json {
                print("\npage: \(report.page)\nhone down --data-directory \(services.directory)")
            }
            guard report.passed else {
                throw CommandFailure(
                    "accuracy did not rise to 90 % in every family; run it again without --quick, "
                        + "or look at \(services.directory)/logs")
            }
        } catch {
            if stop { try await services.stop() }
            throw error
        }
    }

    /// A fresh folder, so that the demo shows the whole loop and not what an earlier one left.
    private func folder() throws -> String {
        if let dataDirectory { return dataDirectory }
        let path = NSTemporaryDirectory() + "hone-demo-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func carryOut(
        _ services: LocalServices, _ size: DemoWorkflow.Scale, _ began: ContinuousClock.Instant
    ) async throws -> DemoReport {
        let entries = try services.entries()
        guard let gateway = entries["gateway"], let tutor = entries["tutor"]?.http else {
            throw CommandFailure("the gateway or the tutor does not run")
        }
        let workflow = DemoWorkflow(scale: size, tutor: tutor + "/v1")
        let steps = try await follow(workflow, at: gateway.address)
        return try DemoResults(steps: steps).report(
            quick: quick, page: gateway.http ?? "", dataDirectory: services.directory,
            replicas: scale.replicas, seconds: (ContinuousClock.now - began) / .seconds(1))
    }

    /// Runs the workflow and tells how it goes on.
    private func follow(_ workflow: DemoWorkflow, at address: String) async throws -> StepList {
        let client = Client(try Target(parsing: address))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            let request = WorkflowRequest.with {
                $0.key = "demo-\(workflow.scale)-\(workflow.tutor)"
                $0.definition = workflow.text
            }
            let job = try await client.unary(
                GatewayAPI.runWorkflow, request, options: CallOptions(waitForReady: true))
            let bar = ProgressBar("demo")
            let watch = WatchRequest.with { $0.id = job.id }
            try await client.serverStreaming(GatewayAPI.watchWorkflow, watch) { events in
                for try await event in events where event.total > 0 {
                    bar.update(event.progress, of: event.total, event.message)
                }
            }
            bar.finish()
            let reference = JobReference.with { $0.id = job.id }
            let state = try await client.unary(GatewayAPI.get, reference)
            guard state.status == .succeeded else {
                throw CommandFailure("the demo's workflow \(state.status): \(state.error)")
            }
            return try await client.unary(GatewayAPI.steps, reference)
        }
    }
}

/// Reads the report out of the workflow's steps.
struct DemoResults {
    let steps: StepList

    private struct Match: Decodable {
        var total: Int
        var accuracy: Double
        var accuracyByRevision: [Double]
        var meanRevisions: Double
    }

    private struct Dataset: Decodable {
        var examples: Int
    }

    func report(
        quick: Bool, page: String, dataDirectory: String, replicas: Int, seconds: Double
    ) throws -> DemoReport {
        let families = try DemoWorkflow.families.map(family)
        return DemoReport(
            quick: quick, page: page, dataDirectory: dataDirectory, replicas: replicas,
            seconds: seconds, chains: try result("merge", Dataset.self).examples,
            training: try result("train", DemoReport.Training.self), families: families,
            passed: DemoReport.passes(families))
    }

    private func family(_ name: String) throws -> DemoReport.Family {
        let revised = try result("\(name)-revised-match", Match.self)
        let autonomous = try result("\(name)-autonomous-match", Match.self)
        return DemoReport.Family(
            name: name, questions: revised.total, accuracyByRevision: revised.accuracyByRevision,
            autonomousAccuracy: autonomous.accuracy,
            autonomousRevisions: autonomous.meanRevisions,
            judge: try result("\(name)-judge", DemoReport.Judge.self))
    }

    private func result<Value: Decodable>(_ step: String, _ type: Value.Type) throws -> Value {
        guard let state = steps.steps.first(where: { $0.name == step }) else {
            throw CommandFailure("the workflow has no step \(step)")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(state.result.utf8))
        } catch {
            throw CommandFailure("the result of \(step) cannot be read: \(state.result)")
        }
    }
}
