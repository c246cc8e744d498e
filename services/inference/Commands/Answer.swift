import ArgumentParser
import Corpus
import Generation
import Revising
import ServiceKit

struct Answer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer a file of questions, without a service.",
        discussion: """
            What is finished is kept: run the same command again after a crash and it goes on.
            Example: hone answer --model-path ~/models/selfee-7b --model-id selfee-7b \
            --question-file question.jsonl --answer-file answer.jsonl --max-num-revisions 3
            """)

    @Option(help: "The model's folder in the Hugging Face layout.")
    var modelPath: String
    @Option(help: "The model's name in the answers.")
    var modelId: String
    @Option(help: "The questions: JSON lines with question_id and text.")
    var questionFile: String
    @Option(help: "The file of answers to write.")
    var answerFile = "answer.jsonl"
    @Option(
        name: [.long, .customLong("max-num-revision")],
        help: "At least so many revisions, whatever the verdicts; 0 leaves it to the verdicts.")
    var maxNumRevisions = 0
    @Option(help: "At most so many revisions (default: as many as the verdicts ask for).")
    var revisionLimit: Int?
    @Flag(help: "Only the first answer, without feedback.")
    var answerOnly = false
    @Option(help: "Tokens of all parts of an answer together; enforced revisions share them.")
    var maxNewTokens = 2048
    @Option(help: "How the final answer is found: strict, or selfee as the original does.")
    var mode = Way.strict
    @Option(
        help: """
            How far an overruled verdict takes the text back: verdict keeps the feedback, feedback \
            writes it anew.
            """)
    var rollback = Rollback.verdict
    @Option(help: "Taken for compatibility; all work is done by this process.")
    var numGpus = 1
    @Flag(help: "Print one JSON object: the file, its answers, the questions without one.")
    var json = false
    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var options: ModelOptions

    enum Way: String, ExpressibleByArgument {
        case strict, selfee
    }

    enum Rollback: String, ExpressibleByArgument {
        case verdict, feedback
    }

    func validate() throws {
        guard maxNumRevisions >= 0 else {
            throw ValidationError("--max-num-revisions is \(maxNumRevisions); give 0 or more")
        }
        if let revisionLimit, revisionLimit < maxNumRevisions {
            throw ValidationError("--revision-limit is below --max-num-revisions; raise it")
        }
        guard maxNewTokens > 0 else { throw ValidationError("--max-new-tokens must be above 0") }
    }

    func run() async throws {
        let policy = RevisionPolicy(
            mode: answerOnly ? .off : maxNumRevisions > 0 ? .enforced : .autonomous,
            minimum: maxNumRevisions, maximum: revisionLimit, maximumTokens: maxNewTokens,
            stopOnFixpoint: false, critiquesLastDraft: true,
            rollback: rollback == .feedback ? .feedback : .verdict)
        let batch = AnswerBatch(
            modelID: modelId, policy: policy, sampling: sampling.sampling,
            mode: mode == .selfee ? .selfee : .strict)
        let questions = try AnswerBatch.questions(in: questionFile)
        let path = answerFile
        let bar = ProgressBar("answer")
        let concurrency = options.slots
        let outcome = try await withModel(modelPath, options.settings()) { model in
            try await batch.run(questions, on: model, concurrency: concurrency, to: path) { done in
                bar.update(done, of: questions.count)
            }
        }
        bar.finish()
        if json { try JSONOutput.print(Summary(path, outcome)) }
        StandardError.write("\(outcome.answers) answers in \(path)\n")
        if !outcome.failures.isEmpty { throw Self.failure(outcome.failures, path) }
    }

    /// What a program is told.
    private struct Summary: Encodable {
        struct Failure: Encodable {
            var question: String
            var cause: String
        }

        var file: String
        var answers: Int
        var failures: [Failure]

        init(_ file: String, _ outcome: AnswerBatch.Outcome) {
            self.file = file
            answers = outcome.answers
            failures = outcome.failures.map { Failure(question: $0.id.text(), cause: $0.cause) }
        }
    }

    /// Which questions have no answer, those with the same cause together.
    private static func failure(
        _ failures: [AnswerBatch.Failure], _ path: String
    ) -> CommandFailure {
        var causes: [(cause: String, ids: [String])] = []
        for failure in failures {
            if let place = causes.firstIndex(where: { $0.cause == failure.cause }) {
                causes[place].ids.append(failure.id.text())
            } else {
                causes.append((failure.cause, [failure.id.text()]))
            }
        }
        let told = causes.map { "\($0.ids.joined(separator: ", ")): \($0.cause)" }
        return CommandFailure(
            "\(failures.count) questions have no answer, by question_id:\n"
                + told.joined(separator: "\n")
                + "\nThe others are in \(path); run again to ask only these again.")
    }
}
