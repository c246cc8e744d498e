import Corpus
import Jobs
package import RPC
import Schema
import ServiceKit
import Wire

/// Carries out steps of one kind. It may be called again for a step that was begun before, with the
/// same key, and then finds what is done already.
protocol StepAction: Sendable {
    /// - Returns: what later steps can refer to.
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON
}

/// The services a step may call.
package struct Services: Sendable {
    package let data: Client
    package let augmentation: Client
    package let trainer: Client
    package let inference: ReplicaSet
    package let evaluator: Client

    package init(
        data: Client, augmentation: Client, trainer: Client, inference: ReplicaSet,
        evaluator: Client
    ) {
        self.data = data
        self.augmentation = augmentation
        self.trainer = trainer
        self.inference = inference
        self.evaluator = evaluator
    }

    /// Ends a job that a step of some kind has started; an empty id is none.
    func cancel(_ job: String, of kind: StepKind) async throws {
        let jobs: RemoteJobs
        switch kind {
        case .augment: jobs = .augmentation(augmentation)
        case .train: jobs = .trainer(trainer)
        case .judge: jobs = .evaluator(evaluator)
        default: return
        }
        if job.isEmpty { return }
        do {
            try await jobs.cancel(job)
        } catch let status as Status where Patience.isAway(status) || status.code == .notFound {
            // A service that is away has nothing running; its job waits for a workflow that is not
            // coming, and can be cancelled there.
        }
    }
}

/// What a step knows beside its fields.
struct StepScope: Sendable {
    let step: String
    /// Names this step of this workflow with these inputs: what other services are asked under it, is
    /// done once.
    let key: String
    let services: Services
    let context: JobContext
    /// What relative paths are relative to; nil refuses them.
    let directory: String?
    let patience: Patience
    /// Keeps the id of the job the step waits for, so that it can be shown and cancelled.
    let rememberJob: @Sendable (String) async throws -> Void
    /// Tells how far the step is.
    let report: @Sendable (Int, Int, String) -> Void

    /// What a step keeps of its own lies under names that begin so, until the step has succeeded.
    var statePrefix: String { "kept/\(key)/" }

    /// Calls a service again for as long as it is away.
    func calling<Value>(_ service: String, _ body: () async throws -> Value) async throws -> Value {
        try await patience.calling(
            onWait: { context.log("\(step): \(service) is away (\($0.code)), asking again") }, body)
    }

    /// Starts a job, waits for its end however often its service goes away, and returns its result.
    func job(
        _ service: String, _ jobs: RemoteJobs,
        onMetrics: ([String: Double]) -> Void = { _ in }, _ start: () async throws -> JobState
    ) async throws -> JSON {
        let state = try await calling(service, start)
        try await rememberJob(state.id)
        let ended = try await jobs.follow(state.id, patience: patience) { event in
            switch event.kind {
            case .progress: report(event.progress, event.total, event.message)
            case .metrics:
                context.metrics(event.metrics, step)
                onMetrics(event.metrics)
            case .log: context.log("\(step): \(event.message)")
            case .state, .result, .unspecified, .unknown: break
            }
        }
        guard ended.status == .succeeded else {
            throw GatewayError.jobFailed(
                step: step, job: ended.id,
                reason: ended.error.isEmpty ? "\(ended.status)" : ended.error)
        }
        let result: JSON =
            if ended.result.isEmpty { .object(JSONObject()) } else {
                try JSON(parsing: ended.result, limits: .python)
            }
        return result.objectValue == nil ? ["value": result] : result
    }

    /// An absolute path.
    func path(_ text: String) throws -> String {
        if text.hasPrefix("/") { return text }
        guard let directory else {
            throw GatewayError.badStep(
                step: step, reason: "the path \"\(text)\" is relative; write it from the root")
        }
        return directory + "/" + text
    }
}

/// The fields of a step, references replaced. A number may be written as text, as parameters are.
struct StepFields: Sendable {
    private let object: JSON
    private let step: String

    init(_ object: JSON, step: String) {
        self.object = object
        self.step = step
    }

    subscript(name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func string(_ name: String) throws -> String? {
        switch self[name] {
        case nil: return nil
        case .string(let text): return text
        case .number(let number): return number.text
        default: throw wrong(name, "a text")
        }
    }

    func text(_ name: String) throws -> String {
        guard let text = try string(name) else { throw wrong(name, "a text") }
        return text
    }

    func integer(_ name: String) throws -> Int? {
        guard let value = self[name] else { return nil }
        let number = value.intValue ?? value.stringValue.flatMap { Int($0) }
        guard let number, number >= 0 else { throw wrong(name, "a whole number") }
        return number
    }

    func number(_ name: String) throws -> Double? {
        guard let value = self[name] else { return nil }
        let number = value.doubleValue ?? value.stringValue.flatMap { Double($0) }
        guard let number else { throw wrong(name, "a number") }
        return number
    }

    func bool(_ name: String) throws -> Bool? {
        switch self[name] {
        case nil: return nil
        case .bool(let value): return value
        case .string("true"): return true
        case .string("false"): return false
        default: throw wrong(name, "true or false")
        }
    }

    /// A choice of the schema, by its name there.
    func choice<Choice: WireEnum>(_ name: String, _ type: Choice.Type = Choice.self) throws
        -> Choice?
    {
        guard let text = try string(name) else { return nil }
        guard let choice = Choice(name: text) else {
            throw wrong(name, "one of " + Choice.known.map(\.name).joined(separator: ", "))
        }
        return choice
    }

    /// A dataset: `name`, `name@version`, or what an earlier step gave for one.
    func dataset(_ name: String) throws -> DatasetReference {
        guard let value = self[name] else { throw wrong(name, "a dataset") }
        return try Self.dataset(value, wrong(name, "a dataset: name or name@version"))
    }

    static func dataset(_ value: JSON, _ error: GatewayError) throws -> DatasetReference {
        guard let text = value.stringValue, !text.isEmpty else { throw error }
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        return DatasetReference.with {
            $0.name = parts[0]
            $0.version = parts.count > 1 ? parts[1] : ""
        }
    }

    /// Where a teacher or judge is: an address, or `{url, model, keys, requestsPerMinute}`.
    func endpoint(_ name: String) throws -> ChatEndpoint {
        guard let value = self[name] else { throw wrong(name, "an endpoint") }
        var endpoint = ChatEndpoint()
        if let url = value.stringValue {
            endpoint.url = url
            endpoint.model = "tutor"
            return endpoint
        }
        let fields = StepFields(value, step: step)
        endpoint.url = try fields.text("url")
        endpoint.model = try fields.string("model") ?? "tutor"
        endpoint.keys = (fields["keys"]?.arrayValue ?? []).compactMap(\.stringValue)
        endpoint.requestsPerMinute = try fields.integer("requestsPerMinute") ?? 0
        endpoint.timeoutMilliseconds = try fields.integer("timeoutMilliseconds") ?? 0
        return endpoint
    }

    func wrong(_ name: String, _ expected: String) -> GatewayError {
        .badStep(
            step: step,
            reason: "\"\(name)\" is \(object[name]?.text() ?? "missing"); write \(expected)")
    }
}
