import ArgumentParser
import Generation
import ServiceKit
import Tokenization

struct Score: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give the log-probability of each token, without a service.",
        discussion: "Example: hone score --model ~/models/stories --ids 1,403,407 --json")

    @Option(help: "The model's folder in the Hugging Face layout.")
    var model: String
    @Option(help: "The token ids, such as 1,2,3.")
    var ids: String
    @Option(help: "How many of the likeliest tokens to give at each place.")
    var top = 5
    @Flag(help: "Print one JSON object: the ids, their log-probabilities, the likeliest tokens.")
    var json = false
    @OptionGroup var options: ModelOptions

    struct Output: Encodable {
        struct Candidate: Encodable {
            var id: TokenID
            var logprob: Float
        }

        var ids: [TokenID]
        /// Entry t scores token t + 1.
        var logprobs: [Float]
        /// Entry t predicts token t + 1; the last is the prediction after the sequence.
        var top: [[Candidate]]
    }

    func run() async throws {
        let ids = try TokenList(ids).ids
        let top = max(0, top)
        let scored = try await withModel(model, options.settings()) { model in
            try await model.scheduler.perform(ScoreProgram(ids: ids, top: top))
        }
        let output = Output(
            ids: ids, logprobs: scored.logProbabilities,
            top: scored.likeliest.map { list in
                list.map { Output.Candidate(id: $0.id, logprob: $0.logProbability) }
            })
        if json { return try JSONOutput.print(output) }
        for (place, id) in ids.enumerated() {
            let score = place > 0 ? "\(output.logprobs[place - 1])" : "-"
            print("\(place)\t\(id)\t\(score)")
        }
        print("sum\t\(output.logprobs.reduce(0, +))")
    }
}
