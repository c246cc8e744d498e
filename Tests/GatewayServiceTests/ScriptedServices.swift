import Corpus
import Foundation
import GatewayService
import Jobs
import RPC
import Schema
import ServiceKit
import Synchronization
import Wire

/// A data service in memory: artifacts and imports, counted.
final class ScriptedData: Sendable {
    let artifacts = Mutex<[String: [UInt8]]>([:])
    let imports = Mutex<[String]>([])
    /// Whether imports wait until `refuse` is raised, and are refused then.
    let holdsImports = Mutex(false)
    let refuse = Signal()

    func router() -> Router {
        let data = self
        var router = Router()
        router.clientStreaming(DataAPI.importDataset) { parts, _ in
            var version = DatasetVersion()
            for try await part in parts {
                if let header = part.header { version.name = header.name }
                version.bytes += part.data.count
            }
            if data.holdsImports.withLock({ $0 }) {
                await data.refuse.wait()
                throw Status(.resourceExhausted, "the disk is full")
            }
            version.version = "v\(version.bytes)"
            version.examples = 2
            let name = version.name
            data.imports.withLock { $0.append(name) }
            return version
        }
        router.clientStreaming(DataAPI.writeArtifact) { chunks, _ in
            var bytes: [UInt8] = []
            for try await chunk in chunks { bytes += chunk.data }
            let (all, hash) = (bytes, SHA256.hexadecimal(of: bytes))
            data.artifacts.withLock { $0[hash] = all }
            return Artifact.with {
                $0.hash = hash
                $0.bytes = all.count
            }
        }
        router.serverStreaming(DataAPI.readArtifact) { request, writer, _ in
            guard let bytes = data.artifacts.withLock({ $0[request.hash] }) else {
                throw Status(.notFound, "there is no artifact \(request.hash)")
            }
            try await writer.write(ArtifactChunk.with { $0.data = bytes })
        }
        return router
    }
}

/// A trainer whose runs end when they are let; starts are counted by key.
final class ScriptedTrainer: Sendable {
    let starts = Mutex<[String: Int]>([:])
    /// Whether runs take until they are cancelled.
    let isSlow = Mutex(false)
    let began = Signal()
    let table: JobTable

    init(path: String) throws {
        table = try JobTable(path: path)
    }

    func router() -> Router {
        let trainer = self
        let calls = JobCalls(table)
        var router = Router()
        router.unary(TrainerAPI.start) { request, _ in
            trainer.starts.withLock { $0[request.key, default: 0] += 1 }
            let state = try await calls.start(kind: "training", key: request.key, request)
            guard state.status == .failed || state.status == .cancelled else { return state }
            return try await calls.retry(JobReference.with { $0.id = state.id })
        }
        router.unary(TrainerAPI.get) { request, _ in try await calls.get(request) }
        router.unary(TrainerAPI.cancel) { request, _ in try await calls.cancel(request) }
        router.serverStreaming(TrainerAPI.watch) { request, writer, _ in
            try await calls.watch(request, writer)
        }
        return router
    }

    /// Carries the runs out.
    func run() async throws {
        let runner = JobFunction { context in
            let request = try TrainingRequest(decoding: context.job.input)
            for loss in [4.0, 2, 1.5, 1] { context.metrics(["loss": loss], "a step") }
            context.progress(1, of: 1)
            self.began.raise()
            if self.isSlow.withLock({ $0 }) { try await Task.sleep(for: .seconds(600)) }
            return #"{"steps": 1, "base": "\#(request.baseModel)"}"#
        }
        try await table.run(["training": runner])
    }
}

/// A folder of a test's own.
final class Folder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "hone-gateway-\(UInt64.random(in: 0 ... .max))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func file(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A gateway's workflow side over scripted services at given ports, while the body runs.
func withWorkflows<Value: Sendable>(
    _ path: String, data: Int, trainer: Int, inference: Int,
    _ body: @Sendable (GatewayHandler, JobTable) async throws -> Value
) async throws -> Value {
    func client(_ port: Int) -> Client {
        Client(.addresses([.init(host: "127.0.0.1", port: port)]))
    }
    let clients = (client(data), client(trainer))
    let replicas = try replicas(at: [inference])
    let services = Services(
        data: clients.0, augmentation: clients.1, trainer: clients.1, inference: replicas,
        evaluator: clients.0)
    let table = try JobTable(path: path)
    let handler = GatewayHandler(jobs: JobCalls(table), services: services)
    let value = try await withThrowingTaskGroup(of: Void.self) { group in
        for client in [clients.0, clients.1] {
            group.addTask { try await client.run() }
        }
        group.addTask { await replicas.run() }
        group.addTask {
            try await table.run([
                WorkflowRunner.kind: WorkflowRunner(
                    services, patience: Patience(limit: .seconds(30)))
            ])
        }
        let value = try await body(handler, table)
        group.cancelAll()
        try await group.waitForAll()
        return value
    }
    try table.close()
    return value
}
