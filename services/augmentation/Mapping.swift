import Chat
import Corpus
import Revising
import Schema

extension Revising.AugmentationProcedure.Kind {
    /// Nil for a procedure this service does not know.
    init?(_ procedure: Schema.AugmentationProcedure) {
        switch procedure {
        case .alpaca: self = .alpaca
        case .sharegpt: self = .sharegpt
        case .flan: self = .flan
        case .unspecified, .unknown: return nil
        }
    }
}

extension Revising.ChainMode {
    init?(_ mode: Schema.ChainMode) {
        switch mode {
        case .strict: self = .strict
        case .selfee: self = .selfee
        case .unknown: return nil
        }
    }
}

extension ChatConfiguration {
    /// - Parameter ownKeys: used where the request brings none.
    init(_ endpoint: ChatEndpoint, ownKeys: [String], concurrency: Int) {
        let keys = endpoint.keys.isEmpty ? ownKeys : endpoint.keys
        self.init(
            endpoint: endpoint.url, model: endpoint.model, keys: keys,
            requestsPerMinuteInAll: endpoint.requestsPerMinute == 0
                ? nil : endpoint.requestsPerMinute,
            timeout: endpoint.timeoutMilliseconds == 0
                ? .seconds(600) : .milliseconds(endpoint.timeoutMilliseconds),
            retry: ChatTeacher.retry, connections: concurrency)
    }
}

extension AugmentationSummary {
    /// A job's result.
    func json(_ dataset: DatasetVersion) -> JSON {
        [
            "dataset": .string(dataset.name), "version": .string(dataset.version),
            "chains": .int(made + found), "failed": .int(failed), "total": .int(total),
            "replies": .int(cost.replies), "reused": .int(reused),
            "promptTokens": .int(cost.promptTokens),
            "completionTokens": .int(cost.completionTokens),
            "flags": .object(
                JSONObject(flags.sorted { $0.key < $1.key }.map { ($0.key, JSON.int($0.value)) })),
        ]
    }
}
