import ArgumentParser
import Corpus
import FoundationEssentials
import Jobs
import RPC
import Schema
import ServiceKit

/// `hone-trainer`: serves runs, or does one on this machine.
@main
struct TrainerMain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Executables.name("hone-trainer"),
        abstract: "Trains models on chains of answers, feedback and revisions.",
        discussion: "Example: hone-trainer serve --data-service 127.0.0.1:7401",
        subcommands: [Serve.self, Train.self, Diff.self, Bench.self], defaultSubcommand: Serve.self)
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves hone.Trainer.",
        discussion: "Example: hone-trainer serve --listen 127.0.0.1:7403")

    @OptionGroup var options: ServiceOptions
    @OptionGroup var connections: ConnectionOptions

    func run() async throws {
        let settings = try options.settings(for: .trainer)
        var host = ServiceHost(settings)
        let data = DataStore(
            try host.client(of: .data, connections), patience: .generous)
        let jobs = try JobTable(path: settings.path("jobs.sqlite"))
        let requests = CheckpointRequests()
        var router = Router()
        router.register(TrainerHandler(jobs: JobCalls(jobs), requests: requests))
        host.serve(router)
        let runner = RunRunner(settings: settings, data: data, requests: requests)
        host.add("jobs") { try await jobs.run([TrainerHandler.kind: runner]) }
        try await host.run()
    }
}

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tunes a model on a file of chains.",
        discussion: """
            Goes on from the newest checkpoint in the output folder, bit for bit, if there is one.
            Example: hone train --model_name_or_path models/llama --data_path chains.jsonl \
            --output_dir runs/first --num_train_epochs 3 --learning_rate 2e-5
            """)

    @OptionGroup var flags: RunFlags
    @Flag(help: "Prints the outcome as JSON.")
    var json = false

    func run() async throws {
        let settings = try flags.settings()
        if !flags.ignored.given.isEmpty {
            StandardError.write(
                "without effect on this machine: "
                    + flags.ignored.given.joined(separator: ", ") + "\n")
        }
        let chains = try Self.chains(flags.data)
        let name = URL(filePath: flags.output).lastPathComponent
        let run = TrainingRun(
            settings: settings, folder: try RunFolder(flags.output), name: name)
        let progress = ProgressBar("training")
        var listener = TrainingRun.Listener()
        let tokenizing = ProgressBar("tokenizing")
        listener.tokenized = { done, total in
            tokenizing.update(done, of: total)
            if done == total { tokenizing.finish() }
        }
        listener.began = { beginning in
            let (done, total) = (beginning.doneSteps, beginning.totalSteps)
            StandardError.write(
                beginning.text + ", "
                    + (done > 0 ? "going on after step \(done) of \(total)" : "\(total) steps")
                    + "\n")
        }
        listener.step = { record, total in
            let loss = (record.loss * 10_000).rounded() / 10_000
            progress.update(record.step, of: total, "loss \(loss)")
        }
        listener.isCancelled = { Task.isCancelled }
        let outcome = try await withTaskExecutorPreference(ComputeThread()) {
            [listener] in try run(chains: chains, listener)
        }
        progress.finish()
        let result = outcome.json(output: flags.output)
        print(json ? result.text() : "\(flags.output): loss \(outcome.loss)")
    }

    private static func chains(_ path: String) throws -> [Chain] {
        let chains: [Chain]
        do {
            chains = try FileImport.chains(path: path)
        } catch let error as CorpusError {
            if case .file = error { throw error }
            throw TrainerError.badData(path: path, reason: error.description)
        } catch let error as JSONError {
            throw TrainerError.badData(path: path, reason: error.description)
        }
        guard !chains.isEmpty else { throw TrainerError.noData(path: path) }
        return chains
    }
}

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the difference between a tuned model and its base, or applies it.",
        discussion: """
            Example: hone diff make --path_raw base --path_tuned tuned --path_diff diff
            """,
        subcommands: [Make.self, Apply.self])

    struct Paths: ParsableArguments {
        @Option(name: .customLong("path_raw"), help: "The base model's folder.")
        var raw: String
        @Option(name: .customLong("path_tuned"), help: "The tuned model's folder.")
        var tuned: String
        @Option(name: .customLong("path_diff"), help: "The difference's folder.")
        var diff: String
    }

    /// What a program is told.
    private struct Written: Encodable {
        var folder: String
    }

    private static func tell(_ folder: String, json: Bool) throws {
        if json {
            try JSONOutput.print(Written(folder: folder))
        } else {
            StandardError.write("written: \(folder)\n")
        }
    }

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes tuned − base.",
            discussion:
                "Example: hone diff make --path_raw base --path_tuned tuned --path_diff diff")
        @OptionGroup var paths: Paths
        @Flag(help: "Prints JSON.") var json = false
        func run() async throws {
            let bar = ProgressBar("diff")
            defer { bar.finish() }
            try WeightDifferences.make(raw: paths.raw, tuned: paths.tuned, diff: paths.diff) {
                bar.update($0, of: $1)
            }
            bar.finish()
            try Diff.tell(paths.diff, json: json)
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes base + difference, with the difference's tokenizer.",
            discussion:
                "Example: hone diff apply --path_raw base --path_diff diff --path_tuned tuned")
        @OptionGroup var paths: Paths
        @Flag(help: "Prints JSON.") var json = false
        func run() async throws {
            let bar = ProgressBar("diff")
            defer { bar.finish() }
            try WeightDifferences.apply(raw: paths.raw, diff: paths.diff, tuned: paths.tuned) {
                bar.update($0, of: $1)
            }
            bar.finish()
            try Diff.tell(paths.tuned, json: json)
        }
    }
}
