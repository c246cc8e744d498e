import Corpus
// FileHandle is not in FoundationEssentials.
import Foundation
import Generation
import Revising
import Tokenization

/// Answers many questions and writes the original's answer file.
///
/// Each answer is appended to `FILE.part` when it is finished; in the end all of them, in the order
/// of the questions, become `FILE`. A run with the same settings that finds `FILE.part` goes on from
/// there. It stays where questions could not be answered, so that these alone are asked again.
struct AnswerBatch: Sendable {
    struct Question: Sendable {
        var id: JSON
        var text: String
    }

    /// A question without an answer, and why.
    struct Failure: Sendable {
        var id: JSON
        var cause: String
    }

    struct Outcome: Sendable {
        /// Rows of the answer file.
        var answers = 0
        var failures: [Failure] = []
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
    func run(
        _ questions: [Question], on model: LoadedModel, concurrency: Int, to path: String,
        report: @escaping @Sendable (Int) -> Void
    ) async throws -> Outcome {
        let part = AnswerPart(path: path + ".part")
        var answers = try part.open(with: settings(model))
        let open = questions.enumerated().filter { answers[$0.element.id.text()] == nil }
        let file = try part.appending()
        defer { try? file.close() }
        var outcome = Outcome()
        try await withThrowingTaskGroup(of: (Question, Attempt).self) { group in
            var waiting = open[...]
            for (index, question) in waiting.prefix(concurrency) {
                group.addTask { (question, try await attempt(question, index, on: model)) }
            }
            waiting = waiting.dropFirst(concurrency)
            while let (question, attempt) = try await group.next() {
                switch attempt {
                case .answered(let result):
                    let line = row(question, result).line()
                    answers[question.id.text()] = line
                    try file.write(contentsOf: Data(line))
                    report(answers.count)
                case .failed(let cause):
                    outcome.failures.append(Failure(id: question.id, cause: cause))
                }
                if let (index, next) = waiting.popFirst() {
                    group.addTask { (next, try await self.attempt(next, index, on: model)) }
                }
            }
        }
        let lines = questions.compactMap { answers[$0.id.text()] }
        try AtomicFile.write(lines.flatMap { $0 }, to: path)
        if outcome.failures.isEmpty { try part.remove() }
        outcome.answers = lines.count
        return outcome
    }

    private enum Attempt: Sendable {
        case answered(ChainResult)
        case failed(String)
    }

    /// What is wrong with one question does not concern the others.
    private func attempt(
        _ question: Question, _ index: Int, on model: LoadedModel
    ) async throws -> Attempt {
        do {
            return .answered(try await answer(question, index, on: model))
        } catch let error as GenerationError where error != .notRunning {
            return .failed(error.description)
        }
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
    private func row(_ question: Question, _ result: ChainResult) -> AnswerRow {
        let text =
            mode == .selfee
            ? SelfeeAnswer.text(in: result.wholeGeneration) ?? result.answer : result.answer
        return AnswerRow(
            questionID: question.id, text: text, wholeGeneration: result.wholeGeneration,
            answerID: Self.answerID(), modelID: modelID)
    }

    /// 22 characters of the alphabet that leaves out what is easily confused.
    private static func answerID() -> String {
        let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
        return String((0..<22).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }

    /// What decides the answers, beside the questions.
    private func settings(_ model: LoadedModel) throws -> JSONObject {
        [
            "model_id": .string(modelID), "model": .string(try model.fingerprint()),
            "context_length": .int(model.contextLength), "mode": .string(mode.rawValue),
            "revisions": .string(policy.mode.rawValue), "minimum": .int(policy.minimum),
            "maximum": policy.maximum.map { .int($0) } ?? .null,
            "rollback": .string(policy.rollback.rawValue),
            "max_new_tokens": policy.maximumTokens.map { .int($0) } ?? .null,
            "temperature": .double(sampling.temperature), "top_p": .double(sampling.topP),
            "top_k": .int(sampling.topK),
            "seed": sampling.seed.map { .string("\($0)") } ?? .null,
        ]
    }

    static func records(in path: String) throws -> [(JSON, line: Int)] {
        do {
            var splitter = JSONRecordSplitter()
            var records = try splitter.push(try FileReader.bytes(of: path))
            if let last = try splitter.finish() { records.append(last) }
            return try records.map { (try $0.parse(), $0.line) }
        } catch let error as JSONError {
            throw InferenceError.badFile(path: path, cause: error.description)
        } catch let error as CorpusError {
            if case .file = error { throw error }
            throw InferenceError.badFile(path: path, cause: error.description)
        }
    }
}
