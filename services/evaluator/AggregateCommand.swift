import ArgumentParser
import Corpus
import Judging

/// Counts reviews that are there.
struct AggregateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aggregate", abstract: "Count the reviews of both orders.",
        discussion: """
            Example:
              hone evaluate aggregate --model-first ours_vs_chatgpt.jsonl \\
                --opponent-first chatgpt_vs_ours.jsonl --json
            """)

    @Option(help: "Reviews with the model's answer first.") var modelFirst: String
    @Option(help: "Reviews with the opponent's answer first.") var opponentFirst: String?
    @Option(
        help:
            "Questions, for the categories; not needed for reviews of the original's 80 questions.")
    var questions: String?
    @Flag(help: "Read the scores from the reviews' texts again, instead of taking the stored ones.")
    var reread = false
    @Flag(help: "Print the report as JSON.") var json = false

    func run() throws {
        let first = try reviews(modelFirst)
        let report = try Comparison(
            modelFirst: first, opponentFirst: opponentFirst.map(reviews) ?? [],
            questions: questions.map {
                try Question.read(FileReader.bytes(of: $0), file: $0)
            } ?? OriginalCategories.questions(of: first))
        print(json ? report.json.text() : report.table)
    }

    private func reviews(_ path: String) throws -> [Review] {
        let reviews = try Review.read(FileReader.bytes(of: path), file: path)
        return reread ? reviews.map(\.reread) : reviews
    }
}

extension Review {
    /// The same review with the scores its text gives.
    fileprivate var reread: Review {
        var review = self
        do throws(JudgingError) {
            review.scores = try ScoreReader.read(text).scores
        } catch {
            review.scores = .none
        }
        return review
    }
}

extension Comparison {
    /// The report for people.
    var table: String {
        func percent(_ value: Double?) -> String {
            guard let value else { return "–" }
            let tenths = Int((value * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) %"
        }
        var lines = [
            "relative score   \(percent(pooled)) (model first \(percent(modelFirst.relative)),"
                + " opponent first \(percent(opponentFirst.relative)))",
            "reviews          \(reviews.win) won, \(reviews.tie) tied, \(reviews.loss) lost"
                + (failed > 0 ? ", \(failed) without scores" : ""),
            "questions        \(questions.win) won, \(questions.tie) tied, \(questions.loss) lost;"
                + " the winner of \(flips) changes with the order",
        ]
        for (name, sums) in categories.sorted(by: { $0.key < $1.key }) {
            let pad = String(repeating: " ", count: max(1, 17 - name.count))
            lines.append("\(name)\(pad)\(percent(sums.relative))")
        }
        return lines.joined(separator: "\n")
    }
}
