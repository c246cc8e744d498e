import ArgumentParser
import Corpus
import Judging

/// Compares answers with the known ones.
struct MatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match", abstract: "Count how many answers equal the expected ones.",
        discussion: """
            Example:
              hone evaluate match --answers answers.jsonl --expected expected.jsonl --json
            """)

    @Option(help: "Rows of question_id, text and, for the accuracy by revision, drafts.")
    var answers: String
    @Option(help: "Rows of question_id and the expected text.") var expected: String
    @Flag(help: "Print the report as JSON.") var json = false

    func run() throws {
        let match = try ExactMatch(
            answers: ExactMatch.Drafted.read(FileReader.bytes(of: answers), file: answers),
            expected: Answer.read(FileReader.bytes(of: expected), file: expected))
        if json {
            print(match.json.text())
            return
        }
        print("\(match.correct) of \(match.total) answers are right")
        for (revisions, share) in match.accuracyByRevision.enumerated() {
            print("after \(revisions) revisions: \(Int((share * 100).rounded())) %")
        }
    }
}
