import AugmentationService
import Chat
import Corpus
import Foundation
import Jobs
import RPC
import Revising
import Schema
import ServiceKit
import Synchronization
import TestKit
import Testing
import Wire

/// The data service in memory.
private final class MemoryDatasets: DatasetLink {
    let records: [String]
    let imported = Mutex<[String: [UInt8]]>([:])
    let exports = Mutex(0)

    init(_ records: [String]) {
        self.records = records
    }

    func export(
        _ dataset: DatasetReference, _ body: (_ bytes: [UInt8]) async throws -> Void
    ) async throws {
        exports.withLock { $0 += 1 }
        guard dataset.name == "tasks" else { throw Status(.notFound, "no dataset") }
        for record in records { try await body(Array(record.utf8) + [10]) }
    }

    func importChains(_ path: String, name: String) async throws -> DatasetVersion {
        let bytes = try FileReader.bytes(of: path)
        imported.withLock { $0[name] = bytes }
        return DatasetVersion.with {
            $0.name = name
            $0.version = SHA256.hexadecimal(of: bytes)
        }
    }
}

@Suite struct RunnerTests {
    private let folder: Folder
    private let datasets: MemoryDatasets

    init() throws {
        folder = try Folder()
        datasets = MemoryDatasets(
            (0..<10).map {
                "{\"instruction\": \"Task \($0).\", \"input\": \"\", \"output\": \"G\"}"
            })
    }

    private func request(_ change: (inout AugmentationRequest) -> Void = { _ in })
        -> AugmentationRequest
    {
        AugmentationRequest.with {
            $0.key = "one"
            $0.dataset = DatasetReference.with { $0.name = "tasks" }
            $0.outputName = "chains"
            $0.procedure = .sharegpt
            $0.endpoint.url = "http://127.0.0.1:1"
            $0.endpoint.model = "memory"
            change(&$0)
        }
    }

    private func runner(_ teacher: MemoryTeacher) -> AugmentationRunner {
        AugmentationRunner(
            folder: folder.path + "/runs", link: datasets, keys: [], makeTeacher: { _ in teacher })
    }

    /// Runs a table while the body works with it.
    private func withJobs(
        _ runner: AugmentationRunner, _ body: (AugmentationHandler, JobTable) async throws -> Void
    ) async throws {
        let table = try JobTable(path: folder.path + "/jobs.sqlite")
        let handler = AugmentationHandler(jobs: JobCalls(table), runner: runner)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await table.run([AugmentationRunner.kind: runner]) }
            try await body(handler, table)
            group.cancelAll()
            do {
                try await group.waitForAll()
            } catch is CancellationError {
                // The table ran until the test was over.
            }
        }
        try table.close()
    }

    private let context = CallContext(method: "test")

    @Test func `a job fetches examples, makes chains and hands them over`() async throws {
        try await withJobs(runner(MemoryTeacher())) { handler, table in
            let state = try await handler.start(request(), context)
            let job = try await table.finish(of: state.id)
            #expect(job.status == .succeeded, "\(job.error)")
            let result = try JSON(parsing: job.result)
            #expect(result["chains"]?.intValue == 10)
            #expect(result["dataset"]?.stringValue == "chains")
            let again = try await handler.start(request(), context)
            #expect(again.id == state.id)
        }
        let bytes = datasets.imported.withLock { $0["chains"] ?? [] }
        #expect(bytes.split(separator: 10).count == 10)
    }

    @Test func `a cancelled job goes on when it is started again`() async throws {
        let teacher = MemoryTeacher(waitsAfter: 12)
        try await withJobs(runner(teacher)) { handler, table in
            let state = try await handler.start(request(), context)
            try await teacher.reached()
            _ = try await handler.cancel(JobReference.with { $0.id = state.id }, context)
            #expect(try await table.finish(of: state.id).status == .cancelled)
            teacher.goOn()
            let again = try await handler.start(request(), context)
            #expect(again.id == state.id)
            #expect(again.status == .queued)
            let job = try await table.finish(of: state.id)
            #expect(job.status == .succeeded, "\(job.error)")
            #expect(try JSON(parsing: job.result)["chains"]?.intValue == 10)
        }
        // What was on its way at the cancellation is asked again, and nothing else.
        #expect(teacher.answers.withLock { $0 } == 30)
    }

    @Test func `a limit of requests is for all keys together`() throws {
        let seen = Mutex<ChatConfiguration?>(nil)
        let runner = AugmentationRunner(
            folder: folder.path + "/runs", link: datasets, keys: [],
            makeTeacher: { configuration in
                seen.withLock { $0 = configuration }
                return MemoryTeacher()
            })
        try runner.check(
            request {
                $0.endpoint.keys = ["a", "b", "c"]
                $0.endpoint.requestsPerMinute = 10
            })
        let configuration = try #require(seen.withLock { $0 })
        #expect(configuration.requestsPerMinute == nil)
        #expect(configuration.requestsPerMinuteInAll == 10)
    }

    @Test func `a retry asks for the failed examples alone`() async throws {
        let failing = MemoryTeacher(failing: ["Task 3."])
        try await withJobs(runner(failing)) { handler, table in
            let state = try await handler.start(request(), context)
            let job = try await table.finish(of: state.id)
            #expect(try JSON(parsing: job.result)["failed"]?.intValue == 1)
        }
        let teacher = MemoryTeacher()
        try await withJobs(runner(teacher)) { handler, table in
            let first = try #require(try await table.jobs().first)
            let state = try await handler.retryFailed(
                JobReference.with { $0.id = first.id }, context)
            #expect(state.id != first.id)
            let job = try await table.finish(of: state.id)
            let result = try JSON(parsing: job.result)
            #expect(result["chains"]?.intValue == 10)
            #expect(result["failed"]?.intValue == 0)
        }
        #expect(teacher.callCount == 3)
        #expect(datasets.exports.withLock { $0 } == 1)
    }

    @Test func `a preview keeps nothing`() async throws {
        try await withJobs(runner(MemoryTeacher())) { handler, table in
            let reply = try await handler.preview(
                PreviewRequest.with {
                    $0.request = request()
                    $0.count = 2
                }, context)
            #expect(reply.records.count == 2)
            #expect(try await table.jobs().isEmpty)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/runs")
        #expect(left.isEmpty)
    }

    @Test func `a job without a single chain fails`() async throws {
        try await withJobs(runner(MemoryTeacher(failing: ["Task"]))) { handler, table in
            let state = try await handler.start(request(), context)
            let job = try await table.finish(of: state.id)
            #expect(job.status == .failed)
            #expect(job.error.contains("10 examples"))
        }
    }

    @Test func `what could never run is refused`() async throws {
        let runner = AugmentationRunner(
            folder: folder.path + "/runs", link: datasets, keys: [])
        let table = try JobTable(path: folder.path + "/jobs.sqlite")
        let handler = AugmentationHandler(jobs: JobCalls(table), runner: runner)
        let wrong: [(inout AugmentationRequest) -> Void] = [
            { $0.key = "" }, { $0.key = "a#retry-1" }, { $0.dataset.name = "" },
            { $0.outputName = "" }, { $0.procedure = .unspecified }, { $0.endpoint.model = "" },
            { $0.endpoint.url = "ftp://x" },
        ]
        for change in wrong {
            await #expect(throws: (any Error).self) {
                try await handler.start(request(change), context)
            }
        }
        try table.close()
    }
}

/// Both sides over RPC: the data service's two calls, played here, and the augmentation service's.
@Suite struct AugmentationCallsTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
    }

    private func dataRouter(_ imported: Imported) -> Router {
        var router = Router()
        router.serverStreaming(DataAPI.export) { request, responses, _ in
            guard request.dataset.name == "tasks" else { throw Status(.notFound, "no dataset") }
            for number in 0..<300 {
                let line =
                    "{\"instruction\": \"Task \(number).\", \"input\": \"\", \"output\": \"G\"}\n"
                try await responses.write(ArtifactChunk.with { $0.data = Array(line.utf8) })
            }
        }
        router.clientStreaming(DataAPI.importDataset) { requests, _ in
            var name = ""
            var bytes: [UInt8] = []
            for try await request in requests {
                if let header = request.header { name = header.name }
                bytes += request.data
            }
            imported.bytes.withLock { $0 = bytes }
            return DatasetVersion.with {
                $0.name = name
                $0.version = "v"
            }
        }
        return router
    }

    private final class Imported: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    @Test func `a job goes from one service to the other and back`() async throws {
        let imported = Imported()
        let dataServer = Server(ServerConfiguration(), router: dataRouter(imported))
        let table = try JobTable(path: folder.path + "/jobs.sqlite")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dataServer.run() }
            let dataClient = Client(
                try Target(parsing: "127.0.0.1:\(try await dataServer.listeningPort())"))
            group.addTask { try await dataClient.run() }
            let runner = AugmentationRunner(
                folder: folder.path + "/runs", link: DataServiceLink(dataClient), keys: [],
                makeTeacher: { _ in MemoryTeacher() })
            group.addTask { try await table.run([AugmentationRunner.kind: runner]) }
            var router = Router()
            router.register(AugmentationHandler(jobs: JobCalls(table), runner: runner))
            let server = Server(ServerConfiguration(), router: router)
            group.addTask { try await server.run() }
            let client = Client(
                try Target(parsing: "127.0.0.1:\(try await server.listeningPort())"))
            group.addTask { try await client.run() }
            try await check(client)
            group.cancelAll()
            while let ended = await group.nextResult() {
                if case .failure(let error) = ended, !(error is CancellationError) {
                    // A closed connection ends what the test no longer needs.
                    #expect(error is Status)
                }
            }
        }
        try table.close()
        let lines = imported.bytes.withLock { $0.split(separator: 10) }
        #expect(lines.count == 300)
    }

    private func check(_ client: Client) async throws {
        let request = AugmentationRequest.with {
            $0.key = "one"
            $0.dataset = DatasetReference.with { $0.name = "tasks" }
            $0.outputName = "chains"
            $0.procedure = .sharegpt
            $0.endpoint.url = "http://127.0.0.1:1"
            $0.endpoint.model = "memory"
        }
        let state = try await client.unary(AugmentationAPI.start, request)
        let watch = WatchRequest.with { $0.id = state.id }
        let last = try await client.serverStreaming(AugmentationAPI.watch, watch) { events in
            var last: Schema.JobEvent?
            for try await event in events { last = event }
            return last
        }
        #expect(last?.status == .succeeded)
        let job = try await client.unary(
            AugmentationAPI.get, JobReference.with { $0.id = state.id })
        let result = try JSON(parsing: job.result)
        #expect(result["chains"]?.intValue == 300)
        #expect(result["version"]?.stringValue == "v")
        let missing = AugmentationRequest.with {
            $0.key = "two"
            $0.dataset = DatasetReference.with { $0.name = "nothing" }
        }
        await #expect(throws: Status.self) {
            try await client.unary(AugmentationAPI.start, missing)
        }
    }
}
