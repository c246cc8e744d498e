import AugmentationService
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
