import ArgumentParser
import Corpus

/// The merge of the original, on files alone: no service runs.
struct MergeFiles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join chain files into one JSON array, each record labelled by its file's name.",
        discussion: """
            The label is what stands after the last underscore of the file's name, up to its first dot.

            Example: hone-data merge --output merged.json feedback_alpaca.jsonl feedback_mbpp.jsonl
            """)

    @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var output: String
    @Argument(help: "The chain files, arrays or lines, in the order of the result.")
    var files: [String]

    func run() async throws {
        print(try CorpusMerge.merge(paths: files, to: output))
    }
}
