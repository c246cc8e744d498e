import ArgumentParser
import ServiceKit

/// `hone bench …`: how fast this machine does what Hone does.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure calls, generation and training on this machine.",
        discussion: """
            Measure on a quiet machine, with a release build.
            Example: hone bench train --json
            """,
        subcommands: [BenchRPC.self, BenchEngine.self, BenchTrain.self])
}

/// Generation is measured where it is linked.
struct BenchEngine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "Tokens per second of reading and writing, beside what memory allows.",
        discussion: "Example: hone bench engine --models 0.8M,15M --threads 1,2",
        helpNames: [])

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() async throws {
        try Executables.become("hone-inference", ["bench"] + arguments)
    }
}

/// Training is measured where it is linked.
struct BenchTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Tokens per second of training, beside PyTorch's where it is installed.",
        discussion: "Example: hone bench train --models 0.8M,15M",
        helpNames: [])

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() async throws {
        try Executables.become("hone-trainer", ["bench"] + arguments)
    }
}
