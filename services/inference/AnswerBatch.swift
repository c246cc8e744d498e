import Corpus
// FileHandle is not in FoundationEssentials.
import Foundation
import Generation
import Revising
import Tokenization

/// Answers many questions and writes the original's answer file.
///
/// Each answer is appended to `FILE.part` when it is finished; in the end all of them, in the order
/// of the questions, become `FILE`. A run that finds `FILE.part` goes on from there.
struct AnswerBatch: Sendable {
    struct Question: Sendable {
        var id: JSON
        var text: String
    }

    var modelID: String
    var policy: Revising.RevisionPolicy
    var sampling: Generation.Sampling
    /// How the final answer is found in the text.
    var mode: ChainMode

    static func questions(in path: String) throws -> [Question] {
        try records(in: path).map { record, line in
            guard let object = record.objectValue, let id = object["question_id"],
                let text = object["text"]?.stringValue
            else {
                throw InferenceError.badFile(
                    path: path, cause: "line \(line) lacks question_id or text")
            }
            return Question(id: id, text: text)
        }
    }

    /// - Parameter report: called with the number of finished answers.
    /// - Returns: how many answers the file has.
    func run(
        _ questions: [Question], on model: LoadedModel, concurrency: Int, to path: String,
        report: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
        let part = path + ".part"
        var answers = try finished(in: part)
        let open = questions.enumerated().filter { answers[$0.element.id.text()] == nil }
        let file = try Self.appending(to: part)
        defer { try? file.close() }
        try await withThrowingTaskGroup(of: (Question, ChainResult).self) { group in
            var waiting = open[...]
            for (index, question) in waiting.prefix(concurrency) {
                group.addTask { (question, try await answer(question, index, on: model)) }
            }
            waiting = waiting.dropFirst(concurrency)
            while let (question, result) = try await group.next() {
                let row = row(question, result)
                answers[question.id.text()] = row
                try file.write(contentsOf: Data(row.line()))
                report(answers.count)
                if let (index, next) = waiting.popFirst() {
                    group.addTask { (next, try await answer(next, index, on: model)) }
                }
            }
        }
        let lines = questions.compactMap { answers[$0.id.text()]?.line() }
        try AtomicFile.write(lines.flatMap { $0 }, to: path)
        try FileManager.default.removeItem(atPath: part)
        return lines.count
    }

    private func answer(
        _ question: Question, _ index: Int, on model: LoadedModel
    ) async throws -> ChainResult {
        let tokenizer = try model.requireTokenizer()
        var sampling = sampling
        // Each question has draws of its own, so that their order does not matter.
        sampling.seed = sampling.seed.map { $0 &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15 }
        let request = ChainRequest(
            prompt: Prompt.text(instruction: question.text, mode: mode), policy: policy,
            sampling: sampling)
        let prompt = tokenizer.prefix + tokenizer.encode(request.prompt, parsing: false)
        return try await model.scheduler.perform(
            ChainDecoder(
                request, prompt: prompt, tokenizer: tokenizer, endIDs: model.endIDs)
        ).result
    }

    /// A row as the original writes it.
    private func row(_ question: Question, _ result: ChainResult) -> JSON {
        let text =
            mode == .selfee
            ? SelfeeAnswer.text(in: result.wholeGeneration) ?? result.answer : result.answer
        return [
            "question_id": question.id, "text": .string(text),
            "whole_generation": .string(result.wholeGeneration),
            "answer_id": .string(Self.answerID()),
            "model_id": .string(modelID), "metadata": .object(JSONObject()),
        ]
    }

    /// 22 characters of the alphabet that leaves out what is easily confused.
    private static func answerID() -> String {
        let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
        return String((0..<22).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }

    // MARK: files

    private static func records(in path: String) throws -> [(JSON, line: Int)] {
        var splitter = JSONRecordSplitter()
        var records = try splitter.push(try FileReader.bytes(of: path))
        if let last = try splitter.finish() { records.append(last) }
        return try records.map { (try $0.parse(), $0.line) }
    }

    /// The answers of an earlier run; a last line that a crash cut short is left out.
    private func finished(in path: String) throws -> [String: JSON] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        let bytes = try FileReader.bytes(of: path)
        let whole = bytes.lastIndex(of: 0x0A).map { Array(bytes[...$0]) } ?? []
        if whole.count < bytes.count { try AtomicFile.write(whole, to: path) }
        var answers: [String: JSON] = [:]
        for (record, line) in try Self.records(in: path) {
            guard let id = record["question_id"], record["model_id"]?.stringValue == modelID else {
                throw InferenceError.badFile(
                    path: path,
                    cause: "line \(line) is of another model than “\(modelID)”; remove the file")
            }
            answers[id.text()] = record
        }
        return answers
    }

    private static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) { try AtomicFile.write([], to: path) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        return file
    }
}
