import ArgumentParser
import FoundationEssentials
import Generation
import ServiceKit

/// The flags by which a model is run, with and without a service.
struct ModelOptions: ParsableArguments {
    @Option(help: "Threads that compute (default: HONE_THREADS, else 1).")
    var threads: Int?
    @Option(help: "The longest sequence in tokens (default: what the model was made for).")
    var contextLength: Int?
    @Option(help: "Sequences that advance together.")
    var slots = 8
    @Option(help: "Requests that may wait for a place.")
    var queue = 256
    @Option(help: "The tokenizer's file or folder (default: the model's folder).")
    var tokenizer: String?

    func validate() throws {
        for (name, value) in [
            ("--threads", threads ?? 1), ("--context-length", contextLength ?? 1),
            ("--slots", slots), ("--queue", queue),
        ] where value < 1 {
            throw ValidationError("\(name) is \(value); give at least 1")
        }
    }

    func settings(_ environment: HoneEnvironment = .process) throws -> ModelHost.Settings {
        var settings = ModelHost.Settings()
        settings.limits = Scheduler.Limits(slots: slots, queue: queue)
        settings.contextLength = contextLength
        settings.tokenizer = tokenizer
        if let threads {
            settings.threads = threads
        } else if let text = environment["THREADS"] {
            guard let number = Int(text), number > 0 else {
                throw SettingsError.badNumber(
                    setting: "HONE_THREADS", value: text, expected: "a whole number above 0")
            }
            settings.threads = number
        }
        return settings
    }
}

/// The flags by which tokens are drawn.
struct SamplingOptions: ParsableArguments {
    @Option(help: "0 takes the likeliest token each time.")
    var temperature = 0.7
    @Option(help: "Only the likeliest tokens that together have this probability.")
    var topP = 1.0
    @Option(help: "Only so many of the likeliest tokens; 0 for all.")
    var topK = 0
    @Option(help: "Equal seeds give equal texts (default: another text each time).")
    var seed: UInt64?

    func validate() throws {
        do {
            try sampling.check()
        } catch {
            throw ValidationError(error.description)
        }
    }

    var sampling: Sampling {
        Sampling(temperature: temperature, topP: topP, topK: topK, seed: seed)
    }
}
