import Corpus
import FoundationEssentials
import TestKit
import Testing

@Suite struct ChainTests {
    private let text = """
        {"iteration_truncated": false, "output": "gold", "instruction": "Add.", "input": "", \
        "iteration": 2, "outputs": [{"output": "3", "feedback": "Revision is needed.", "x": [1.0]}, \
        {"output": "4", "feedback": "Revision is not needed."}], "extra": {"b": 1, "a": null}}
        """

    @Test func `a chain is read and written as it was`() throws {
        var chain = try Chain(JSON(parsing: text))
        #expect(chain.instruction == "Add.")
        #expect(chain.gold == "gold")
        #expect(chain.iteration == 2)
        #expect(chain.drafts.map(\.output) == ["3", "4"])
        #expect(chain.drafts[1].feedback == "Revision is not needed.")
        #expect(chain.json.text(.python) == text)
        chain.dataset = "mbpp"
        #expect(chain.json.text(.python) == text.dropLast() + ", \"dataset\": \"mbpp\"}")
    }

    @Test func `a new chain has the original's keys in their order`() {
        let chain = Chain(
            gold: "g", instruction: "i", outputs: [Draft(output: "o", feedback: "f")])
        let expected = """
            {"iteration_truncated": false, "output": "g", "instruction": "i", "input": "", \
            "iteration": 1, "outputs": [{"output": "o", "feedback": "f"}]}
            """
        #expect(chain.json.text(.python) == expected)
    }

    @Test(arguments: [
        #"{"instruction": "i"}"#, #"{"instruction": "i", "outputs": []}"#,
        #"{"instruction": 1, "outputs": [{"output": "o"}]}"#, "[]",
        #"{"instruction": "i", "outputs": [{"feedback": "o"}]}"#,
    ])
    func `what is no chain is refused`(text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: CorpusError.self) { try Chain(json) }
    }

    @Test(arguments: [
        ("feedback_gpt_3.5_turbo_mbpp.jsonl", "mbpp"), ("a/b_c/feedback_dr_repair.jsonl", "repair"),
        ("feedback_math_hendrycks.x.y", "hendrycks"), ("sharegpt_90k_processed.jsonl", "processed"),
        ("plain.json", "plain"), ("trailing_", ""),
    ])
    func `labels follow the original's rule`(path: String, label: String) {
        #expect(DatasetLabel.label(ofFileNamed: path) == label)
    }

    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: [
            ("augmentation/feedback_gpt_3.5_turbo_mbpp", RecordFormat.chains, 969),
            ("answer/chatgpt", .answers, 80),
            ("answer/selfee_7b_enforce_3_revisions", .answers, 80),
            ("answer/selfee_13b_enforce_0_revisions", .answers, 80),
            ("review/chatgpt_vs_selfee_7b_enforce_3_revisions", .reviews, 80),
            ("review/selfee_13b_enforce_0_revisions_vs_chatgpt", .reviews, 80),
            ("template/question", .questions, 80), ("template/prompt", .prompts, 3),
            ("template/reviewer", .reviewers, 3),
        ])
    func `the original's files come back byte for byte`(
        name: String, format: RecordFormat, count: Int
    ) throws {
        let path = try SharedData.file("data/selfee/\(name).jsonl").path
        var written: [UInt8] = []
        let counts = try FileImport.read(path: path, format: format) { outcome in
            guard case .kept(let record) = outcome else { return }
            if !written.isEmpty { written.append(0x0A) }
            written += record.bytes
        }
        var read = try FileReader.bytes(of: path)
        if read.last == 0x0A { read.removeLast() }
        #expect(counts.kept == count)
        #expect(counts.rejectedCount == 0)
        #expect(written == read)
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the statistics of the real MBPP chains are the published ones`() throws {
        let path = try SharedData.file(
            "data/selfee/augmentation/feedback_gpt_3.5_turbo_mbpp.jsonl"
        ).path
        var statistics = CorpusStatistics()
        for record in try FileImport.records(path: path, format: .chains) { statistics.add(record) }
        #expect(statistics.chains == 969)
        #expect(statistics.iterations == [538, 408, 17, 2, 4])
        #expect(abs(statistics.meanIterations - 1.479) < 0.0005)
        #expect(statistics.truncated == 4)
        #expect(statistics.feedbacks == 1433)
        #expect(statistics.exactNotNeeded == 849)
        #expect(statistics.notNeeded == 876)
        #expect(statistics.needed == 438)
        #expect(statistics.enforceable == 939)
        #expect(abs(statistics.instructionLengths.mean - 78.5) < 0.05)
        #expect(statistics.instructionLengths.maximum == 249)
        #expect(Int(statistics.goldLengths.mean.rounded()) == 180)
        #expect(Int(statistics.firstAnswerLengths.mean.rounded()) == 935)
        #expect(statistics.firstAnswerLengths.quantile(0.99) == 2102)
        #expect(statistics.firstAnswerLengths.maximum == 2384)
        #expect(Int(statistics.revisionLengths.mean.rounded()) == 1017)
        #expect(statistics.revisionLengths.maximum == 2297)
        #expect(statistics.revisionLengths.count == 464)
        #expect(Int(statistics.feedbackLengths.mean.rounded()) == 412)
        #expect(statistics.feedbackLengths.maximum == 699)
        #expect(abs(statistics.feedbackWords.mean - 69.6) < 0.05)
        #expect(statistics.feedbackWords.maximum == 118)
        #expect(statistics.duplicateInstructions == 4)
        #expect(statistics.identicalRevisions == 1)
        #expect(statistics.headingsInText == 1)
        #expect(statistics.emptyOutputs == 0)
    }

    @Test func `a merge labels every record and writes one array`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "hone-merge-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let record = #"{"instruction": "i", "input": "", "outputs": [{"output": "o"}]}"#
        let lines = folder.appending(path: "chains_alpaca.jsonl").path
        let array = folder.appending(path: "chains_dr_repair.json").path
        try AtomicFile.write(Array("\(record)\n\(record)".utf8), to: lines)
        try AtomicFile.write(Array("[\(record)]".utf8), to: array)
        let merged = folder.appending(path: "merged.json").path
        let count = try CorpusMerge.merge(paths: [lines, array], to: merged)
        let first = record.dropLast() + #", "dataset": "alpaca"}"#
        let last = record.dropLast() + #", "dataset": "repair"}"#
        #expect(count == 3)
        #expect(try FileReader.bytes(of: merged) == Array("[\(first), \(first), \(last)]".utf8))
    }
}
