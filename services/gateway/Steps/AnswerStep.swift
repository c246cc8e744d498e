import Corpus
import Jobs
import RPC
import Schema
import ServiceKit
import Wire

/// Lets the model answer every question of a file, many at once, over all replicas.
///
/// Each answer is kept in the workflow's job as it comes: after a crash only those that were underway
/// are asked again. The result is an answer file in the original's form, as an artifact.
struct AnswerStep: StepAction {
    private static let usualConcurrency = 8
    private static let usual = RevisionPolicy.with {
        $0.mode = .autonomous
        $0.maximum = 3
    }

    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        let hash = try fields.text("questions")
        let calls = DataCalls(scope.services)
        let bytes = try await scope.calling("data") { try await calls.read(hash) }
        var questions = try Question.parse(bytes)
        if let limit = try fields.integer("limit"), limit > 0 {
            questions = Array(questions.prefix(limit))
        }
        var request = GenerateRequest()
        request.model = try fields.string("model") ?? ""
        do {
            request.policy = try ChatRequest.policy(fields["revision"], usual: Self.usual)
        } catch let error as OpenAIError {
            throw fields.wrong("revision", error.message)
        }
        request.sampling = try Self.sampling(fields)
        let asker = Asker(
            scope: scope, request: request,
            modelName: try fields.string("modelId") ?? request.model)
        let count = max(1, try fields.integer("concurrency") ?? Self.usualConcurrency)
        let lines = try await answers(to: questions, asker, atOnce: count)
        let answered = try lines.map { try JSON(parsing: $0) }
        let artifact = try await scope.calling("data") {
            try await calls.write(lines.flatMap { $0 }, mediaType: "application/jsonl")
        }
        return Self.told(artifact, answered)
    }

    private func answers(
        to questions: [Question], _ asker: Asker, atOnce count: Int
    ) async throws -> [[UInt8]] {
        var lines = Array(repeating: [UInt8](), count: questions.count)
        var done = 0
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (index, question) in questions.enumerated() {
                if index >= count, let (place, line) = try await group.next() {
                    lines[place] = line
                    done += 1
                    asker.scope.report(done, questions.count, "")
                }
                group.addTask { (index, try await asker.answer(question, index)) }
            }
            for try await (place, line) in group {
                lines[place] = line
                done += 1
                asker.scope.report(done, questions.count, "")
            }
        }
        return lines
    }

    private static func sampling(_ fields: StepFields) throws -> Sampling {
        var sampling = Sampling()
        guard let value = fields["sampling"] else { return sampling }
        let parts = StepFields(value, step: "sampling")
        for key in value.objectValue?.keys ?? []
        where !["temperature", "topP", "topK", "seed", "maximumTokens"].contains(key) {
            throw fields.wrong("sampling", "temperature, topP, topK, seed, maximumTokens")
        }
        sampling.temperature = try parts.number("temperature") ?? 0
        sampling.topP = try parts.number("topP")
        sampling.topK = try parts.integer("topK") ?? 0
        sampling.seed = try parts.integer("seed")
        sampling.maximumTokens = try parts.integer("maximumTokens") ?? 0
        return sampling
    }

    private static func told(_ artifact: Artifact, _ answers: [JSON]) -> JSON {
        let revisions = answers.map { $0["metadata"]?["revisions"]?.intValue ?? 0 }
        let tokens = answers.map { $0["metadata"]?["completion_tokens"]?.intValue ?? 0 }
        let mean = answers.isEmpty ? 0 : Double(revisions.reduce(0, +)) / Double(answers.count)
        return [
            "answers": .string(artifact.hash), "count": .int(answers.count),
            "meanRevisions": .double(mean), "tokens": .int(tokens.reduce(0, +)),
        ]
    }
}

/// One line of a question file.
private struct Question: Sendable {
    let identifier: JSON
    let text: String

    static func parse(_ bytes: [UInt8]) throws -> [Question] {
        var splitter = JSONRecordSplitter()
        var records = try splitter.push(bytes)
        if let last = try splitter.finish() { records.append(last) }
        return try records.enumerated().map { index, record in
            let value = try record.parse()
            guard let text = value["text"]?.stringValue else {
                throw Status(
                    .invalidArgument, "line \(record.line) of the question file has no text")
            }
            return Question(identifier: value["question_id"] ?? .int(index + 1), text: text)
        }
    }
}

/// Asks inference one question at a time, and keeps what it said.
private struct Asker: Sendable {
    let scope: StepScope
    let request: GenerateRequest
    let modelName: String

    var statePrefix: String { scope.statePrefix }

    /// How often a replica that has lost its model is told to load it.
    private static let loads = 5

    /// The line of the answer file, from an earlier attempt or from the model.
    func answer(_ question: Question, _ index: Int) async throws -> [UInt8] {
        let name = statePrefix + "\(index)"
        if let known = try await scope.context.state(name) { return known }
        let line = try await ask(question).line()
        try await scope.context.save(line, as: name)
        return line
    }

    private func ask(_ question: Question) async throws -> AnswerRow {
        var loads = 0
        var waiting = Patience.Waiting(scope.patience)
        while true {
            do {
                return try await once(question)
            } catch let status as Status {
                switch status.code {
                case .failedPrecondition, .notFound:
                    loads += 1
                    guard !request.model.isEmpty, loads <= Self.loads else { throw status }
                    try await load()
                case .unavailable where await isEmpty(): try await load()
                case .resourceExhausted: break
                default: guard Patience.isAway(status) else { throw status }
                }
                try await waiting.pause(after: status)
            }
        }
    }

    private func load() async throws {
        _ = try await scope.calling("inference") {
            try await scope.services.inference.load(request.model)
        }
    }

    /// Whether replicas are there and none has a model, as after all of them were started anew.
    private func isEmpty() async -> Bool {
        let known = await scope.services.inference.known().compactMap(\.status)
        return !request.model.isEmpty && !known.isEmpty && !known.contains(where: \.ready)
    }

    private func once(_ question: Question) async throws -> AnswerRow {
        var request = request
        request.instruction = question.text
        var record = RevisionRecord()
        var finish: GenerateEvent?
        let events = scope.services.inference.answer(request)
        while let event = try await events.next() {
            record.take(event)
            if event.kind == .finished { finish = event }
        }
        guard let finish else {
            throw Status(.unavailable, "the answer ended before it was finished")
        }
        return row(question, record, finish)
    }

    /// The original's fields first, then what the original does not keep.
    private func row(
        _ question: Question, _ record: RevisionRecord, _ finish: GenerateEvent
    ) -> AnswerRow {
        let identifier = SHA256.hexadecimal(of: scope.key + question.identifier.text())
        let feedbacks = record.feedbacks
        let verdicts = feedbacks.indices.map { index -> JSON in
            record.verdict(index).map { .bool($0.needed) } ?? .null
        }
        var row = AnswerRow(
            questionID: question.identifier, text: finish.answer,
            wholeGeneration: finish.wholeGeneration, answerID: String(identifier.prefix(22)),
            modelID: modelName)
        row.metadata = [
            "revisions": .int(finish.revisions), "stop_reason": .string(finish.reason),
            "prompt_tokens": .int(finish.usage?.promptTokens ?? 0),
            "completion_tokens": .int(finish.usage?.completionTokens ?? 0),
        ]
        row.others = [
            "drafts": .array(record.drafts.map { .string($0) }),
            "feedbacks": .array(feedbacks.map { .string($0) }), "verdicts": .array(verdicts),
        ]
        return row
    }
}
