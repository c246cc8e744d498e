import Corpus
import Foundation
import Glibc
import Judging
import RPC
import Schema
import ServiceKit
import TestKit
import Testing
import Wire

/// The service as a process, over its real calls, with the real data service and the tutor.
@Suite struct EvaluatorServiceTests {
    /// The calls a test makes, of both services.
    private struct Calls: Sendable {
        let data: Client
        let evaluator: Client

        func store(_ bytes: [UInt8]) async throws -> String {
            try await data.clientStreaming(DataAPI.writeArtifact) { requests in
                try await requests.write(
                    ArtifactChunk.with {
                        $0.artifact = Artifact.with { $0.mediaType = "application/jsonl" }
                        $0.data = bytes
                    })
            }.hash
        }

        func load(_ hash: String) async throws -> [UInt8] {
            try await data.serverStreaming(
                DataAPI.readArtifact, ArtifactRequest.with { $0.hash = hash }
            ) { chunks in
                var bytes: [UInt8] = []
                for try await chunk in chunks { bytes += chunk.data }
                return bytes
            }
        }
    }

    private func calling(
        _ data: ServiceProcess, _ evaluator: ServiceProcess,
        _ body: (Calls) async throws -> Void
    ) async throws {
        let calls = Calls(
            data: Client(try Target(parsing: data.address)),
            evaluator: Client(try Target(parsing: evaluator.address)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await calls.data.run() }
            group.addTask { try await calls.evaluator.run() }
            defer { group.cancelAll() }
            try await body(calls)
        }
    }

    private func request(
        _ files: JudgeFiles, _ calls: Calls, _ tutor: ServiceProcess
    ) async throws -> EvaluationRequest {
        let questions = try await calls.store(files.folder.bytes("questions.jsonl"))
        let weak = try await calls.store(files.folder.bytes("weak.jsonl"))
        let right = try await calls.store(files.folder.bytes("right.jsonl"))
        return EvaluationRequest.with {
            $0.key = "weak against right"
            $0.questions = questions
            $0.answersFirst = weak
            $0.answersSecond = right
            $0.endpoint = ChatEndpoint.with {
                $0.url = "http://\(tutor.address)/v1"
                $0.model = "tutor"
            }
            $0.bothOrders = true
            $0.concurrency = 2
        }
    }

    @Test func `an evaluation is judged, reported and stored`() async throws {
        let files = try await JudgeFiles(count: 9)
        let tutor = try await ServiceProcess("hone-tutor", in: files.folder)
        let data = try await ServiceProcess("hone-data", in: files.folder)
        let evaluator = try await ServiceProcess(
            "hone-evaluator", in: files.folder, ["--data-service", data.address])
        try await calling(data, evaluator) { calls in
            let request = try await request(files, calls, tutor)
            let job = try await calls.evaluator.unary(EvaluatorAPI.start, request)
            let same = try await calls.evaluator.unary(EvaluatorAPI.start, request)
            #expect(job.id == same.id)
            let end = try await RemoteJobs.evaluator(calls.evaluator).follow(job.id)
            #expect(end.status == .succeeded, "\(end.error)")
            let reference = JobReference.with { $0.id = job.id }
            let report = try await calls.evaluator.unary(EvaluatorAPI.report, reference)
            #expect(report.reviews == 18)
            #expect((report.win, report.tie, report.loss) == (0, 6, 12))
            #expect(report.pooled < 100)
            #expect(report.categories["sort"] == report.pooled)
            let reviews = try await Review.read(calls.load(report.reviewsModelFirst), file: "r")
            #expect(reviews.map(\.questionID) == files.questions.map(\.id))
            let counted = try await calls.evaluator.unary(
                EvaluatorAPI.aggregate,
                AggregateRequest.with {
                    $0.modelFirst = report.reviewsModelFirst
                    $0.opponentFirst = report.reviewsOpponentFirst
                    $0.questions = request.questions
                })
            #expect(counted == report)
            let expected = try await calls.store(files.folder.bytes("expected.jsonl"))
            let match = try await calls.evaluator.unary(
                EvaluatorAPI.match,
                MatchRequest.with {
                    $0.answers = request.answersFirst
                    $0.expected = expected
                })
            #expect(match.total == 9)
            #expect(match.correct == 3)
            #expect(match.accuracyByRevision == [3.0 / 9.0])
        }
        // A job's input may hold keys.
        let state = files.folder.path + "/hone-evaluator"
        #expect(try permissions(of: state) == 0o700)
        #expect(try permissions(of: state + "/jobs.sqlite") == 0o600)
        #expect(evaluator.end() == 0)
    }

    private func permissions(of path: String) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue
    }

    @Test func `a killed service goes on without asking for a review twice`() async throws {
        let files = try await JudgeFiles(count: 20)
        let tutor = try await ServiceProcess(
            "hone-tutor", in: files.folder,
            ["--count-repeats", "--fail-slow-every", "1", "--slow-milliseconds", "25"])
        let data = try await ServiceProcess("hone-data", in: files.folder)
        let flags = ["--data-service", data.address]
        let first = try await ServiceProcess("hone-evaluator", in: files.folder, flags)
        var id = ""
        try await calling(data, first) { calls in
            let request = try await request(files, calls, tutor)
            id = try await calls.evaluator.unary(EvaluatorAPI.start, request).id
            while try await statistics(of: tutor)["replies"]?.intValue ?? 0 < 12 {}
            first.end(SIGKILL)
        }
        let second = try await ServiceProcess("hone-evaluator", in: files.folder, flags)
        try await calling(data, second) { calls in
            let end = try await RemoteJobs.evaluator(calls.evaluator).follow(id)
            #expect(end.status == .succeeded, "\(end.error)")
        }
        let counts = try await statistics(of: tutor)
        #expect((counts["replies"]?.intValue ?? 99) <= 40 + 2)
        // Every third pair is equal answers, so its request is the same in both orders.
        #expect((counts["repeats"]?.intValue ?? 99) <= 7 + 2)
    }

    @Test func `requests that cannot be are refused with their reason`() async throws {
        let folder = try TemporaryFolder()
        let data = try await ServiceProcess("hone-data", in: folder)
        let evaluator = try await ServiceProcess(
            "hone-evaluator", in: folder, ["--data-service", data.address])
        try await calling(data, evaluator) { calls in
            var codes: [Status.Code] = []
            func code(_ body: () async throws -> Void) async throws {
                do {
                    try await body()
                } catch let status as Status {
                    codes.append(status.code)
                }
            }
            try await code {
                _ = try await calls.evaluator.unary(EvaluatorAPI.start, EvaluationRequest())
            }
            try await code {
                _ = try await calls.evaluator.unary(EvaluatorAPI.aggregate, AggregateRequest())
            }
            try await code {
                _ = try await calls.evaluator.unary(
                    EvaluatorAPI.report, JobReference.with { $0.id = "none" })
            }
            let bad = try await calls.store(Array("[1]".utf8))
            try await code {
                _ = try await calls.evaluator.unary(
                    EvaluatorAPI.aggregate, AggregateRequest.with { $0.modelFirst = bad })
            }
            #expect(codes == [.invalidArgument, .invalidArgument, .notFound, .invalidArgument])
        }
    }
}
