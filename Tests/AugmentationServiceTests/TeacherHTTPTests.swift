import AugmentationService
import Chat
import Corpus
import Foundation
import Revising
import TestKit
import Testing

/// The whole way: examples, HTTP, journal, files.
@Suite(.enabled(if: ScriptedTeacher.isPossible, "\(ScriptedTeacher.reason)"))
struct TeacherHTTPTests {
    private let endpoint: ScriptedTeacher
    private let folder: Folder

    init() throws {
        endpoint = try ScriptedTeacher()
        folder = try Folder()
    }

    private func teacher(
        _ model: String, requestsPerMinute: Int? = nil, keys: [String] = []
    ) throws -> ChatTeacher {
        try ChatTeacher(
            ChatConfiguration(
                endpoint: endpoint.endpoint, model: endpoint.model(model), keys: keys,
                requestsPerMinute: requestsPerMinute,
                retry: RetryPolicy(first: .milliseconds(10))))
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the original's transcripts are repeated over HTTP, record for record`() async throws {
        let bytes = try FileReader.bytes(of: SharedData.file("spec/golden-augmentation.json").path)
        let transcripts = try #require(try JSON(parsing: bytes).objectValue)
        #expect(transcripts.count == 18)
        for member in transcripts {
            let folder = try Folder()
            let golden = member.value
            let task = try #require(golden["task"])
            try folder.write(task.text(), to: "tasks.jsonl")
            let word = String(member.key.prefix { $0 != "/" })
            let kind = try #require(AugmentationProcedure.Kind(rawValue: word))
            let model = "golden:" + member.key
            let before = try endpoint.requests().count
            let summary = try await Augmenter.run(
                folder.plan(kind, .selfee), try teacher(model))
            #expect(summary.made == 1, "\(member.key)")
            let item = try #require(golden["item"])
            #expect(try folder.text("chains.jsonl") == item.text(.python) + "\n")
            let requests = try endpoint.requests()[before...]
            let calls = try #require(golden["calls"]?.arrayValue)
            #expect(requests.count == calls.count, "\(member.key)")
            for (request, call) in zip(requests, calls) {
                #expect(request.body.max_tokens == call["max_tokens"]?.intValue)
                #expect(request.body.temperature == 1)
                let messages = request.body.messages.map { [$0.role, $0.content] }
                let expected = try #require(call["messages"]?.arrayValue).map {
                    [$0["role"]?.stringValue ?? "", $0["content"]?.stringValue ?? ""]
                }
                #expect(messages == expected, "\(member.key)")
            }
        }
    }

    @Test func `what the endpoint refuses for a while is waited for`() async throws {
        let plan = try folder.plan(tasks: 1, .alpaca)
        let summary = try await Augmenter.run(
            plan, try teacher("status:429:0.3,status:500,close,chain:1"))
        #expect(summary.made == 1)
        let times = try endpoint.requests().map(\.time)
        #expect(times.count == 7)
        #expect(times[1] - times[0] >= 0.29)
    }

    @Test func `a wrong key ends the run, and nothing is failed for it`() async throws {
        let plan = try folder.plan(tasks: 50, .alpaca)
        await #expect(throws: AugmentationError.self) {
            try await Augmenter.run(plan, try teacher("status:401", keys: ["sk-wrong"]))
        }
        #expect(try folder.text("failed.jsonl").isEmpty)
        #expect(try endpoint.requests().count <= 8)
    }

    @Test func `a teacher that is down ends the run after some examples`() async throws {
        let plan = try folder.plan(tasks: 100, .alpaca)
        let teacher = try ChatTeacher(
            ChatConfiguration(
                endpoint: "http://127.0.0.1:1", model: "m", retry: RetryPolicy(retries: 0)))
        await #expect(throws: AugmentationError.self) {
            try await Augmenter.run(plan, teacher)
        }
        #expect(try folder.lines("failed.jsonl").count < 30)
    }

    @Test func `requests a minute are kept over all workers`() async throws {
        let plan = try folder.plan(tasks: 10, .alpaca, concurrency: 10)
        let teacher = try teacher("chain:0", requestsPerMinute: 1200)
        let start = ContinuousClock.now
        _ = try await Augmenter.run(plan, teacher)
        #expect(try endpoint.requests().count == 20)
        #expect(ContinuousClock.now - start >= .milliseconds(50 * 19))
    }

    @Test func `the drill-like teacher's chains are complete`() async throws {
        let plan = try folder.plan(tasks: 30, .alpaca, .strict, concurrency: 16)
        let summary = try await Augmenter.run(plan, try teacher("chain:3"))
        #expect(summary.made == 30)
        #expect(summary.cost.replies == 30 * 8)
        #expect(summary.flags.isEmpty)
        for line in try folder.lines("chains.jsonl") {
            let chain = try Chain(try JSON(parsing: line))
            #expect(chain.drafts.count == 4)
            #expect(chain.drafts.last?.output.hasPrefix("answer #3") == true)
        }
    }
}
