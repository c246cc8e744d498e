import Corpus
import Foundation
import GatewayService
import Logging
import RPC
import Schema
import ServiceKit
import Synchronization
import TestKit
import Wire

/// A flag that tasks can wait for.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func raise() {
        continuation.yield()
        continuation.finish()
    }

    func wait() async {
        for await _ in stream { return }
    }
}

/// Serves a router on loopback while the body runs.
func serving<Value: Sendable>(
    _ router: Router, host: String = "127.0.0.1", port: Int = 0,
    _ body: (Int) async throws -> Value
) async throws -> Value {
    let server = Server(ServerConfiguration(host: host, port: port), router: router)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let value = try await body(try await server.listeningPort())
        group.cancelAll()
        return value
    }
}

/// Inference that answers by rule: an answer, and as many revisions as it is told.
///
/// A question that begins with "lost" loses its connection the first time.
/// A question that begins with "wait" gets a first word and then nothing, until it is cancelled.
final class ScriptedInference: Sendable {
    let started = Signal()
    let cancelled = Signal()
    let requests = Mutex<[GenerateRequest]>([])
    /// The model it has; empty for none, as after a restart.
    let model: Mutex<String>
    let loads = Mutex<[String]>([])
    /// Whether it answers even those questions that say "wait".
    private let isPatient: Bool

    /// Whether it is lost in the middle of each answer.
    private let isLost: Bool

    init(patient: Bool = false, model: String = "scripted", lost: Bool = false) {
        isPatient = patient
        isLost = lost
        self.model = Mutex(model)
    }

    private var status: InferenceStatus {
        InferenceStatus.with {
            $0.model = model.withLock { $0 }
            $0.ready = !$0.model.isEmpty
            $0.slots = 4
        }
    }

    func router() -> Router {
        let script = self
        var router = Router()
        router.unary(InferenceAPI.status) { _, _ in script.status }
        router.unary(InferenceAPI.load) { request, _ in
            script.loads.withLock { $0.append(request.model) }
            script.model.withLock { $0 = request.model }
            return script.status
        }
        router.serverStreaming(InferenceAPI.generate) { request, writer, _ in
            try await script.generate(request, writer)
        }
        return router
    }

    func generate(_ request: GenerateRequest, _ writer: ResponseWriter<GenerateEvent>) async throws
    {
        guard status.ready else { throw Status(.failedPrecondition, "no model is loaded") }
        let isFirst = requests.withLock { requests in
            requests.append(request)
            return requests.count == 1
        }
        let question = request.messages.last?.content ?? request.instruction
        var script = EventScript(writer)
        if question.hasPrefix("wait"), !isPatient {
            try await script.say(.answer, 0, ["waiting "], done: false)
            started.raise()
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                cancelled.raise()
                throw error
            }
        }
        if question.hasPrefix("full") { throw Status(.resourceExhausted, "the queue is full") }
        if question.hasPrefix("nothing") { return }
        if question.hasPrefix("break") {
            return try await script.say(.answer, 0, ["broken "], done: false)
        }
        if question.hasPrefix("lost"), isFirst {
            try await script.say(.answer, 0, ["half "], done: false)
            throw Status(.unavailable, "the connection was lost")
        }
        if isLost {
            try await script.say(
                .answer, 0, question == "differ" ? ["another "] : ["dra", "ft 0 o"], done: false)
            throw Status(.unavailable, "the connection was lost")
        }
        if question.hasPrefix("fail") { throw Status(.outOfRange, "the prompt is too long") }
        let policy = request.policy
        let revisions =
            switch policy.mode {
            case .enforced: policy.minimum
            case .autonomous: min(1, policy.maximum ?? 0)
            default: 0
            }
        try await script.say(.answer, 0, ["draft ", "0 of ", "<b>\(question)</b>"])
        for index in 0..<revisions {
            try await script.say(.feedback, index, ["It lacks ", "style. Revision is needed."])
            try await script.judge(index, needed: true, forced: policy.mode == .enforced)
            try await script.say(.revision, index, ["draft ", "\(index + 1) of ", question])
        }
        if policy.mode == .autonomous {
            try await script.say(.feedback, revisions, ["Good. Revision is not needed."])
            try await script.judge(revisions, needed: false, forced: false)
        }
        try await script.finish(revisions)
    }
}

/// Writes the events of one scripted answer.
private struct EventScript {
    private let writer: ResponseWriter<GenerateEvent>
    private var sequence = 0
    private var last = ""
    private var whole = ""
    private var usage = Usage.with { $0.promptTokens = 5 }

    init(_ writer: ResponseWriter<GenerateEvent>) {
        self.writer = writer
    }

    private mutating func send(_ change: (inout GenerateEvent) -> Void) async throws {
        sequence += 1
        var event = GenerateEvent()
        event.sequence = sequence
        change(&event)
        try await writer.write(event)
    }

    mutating func say(
        _ kind: SegmentKind, _ index: Int, _ words: [String], done: Bool = true
    ) async throws {
        let segment = SegmentReference.with {
            $0.kind = kind
            $0.index = index
        }
        try await send {
            $0.kind = .segmentStarted
            $0.segment = segment
        }
        for word in words {
            try await send {
                $0.kind = .delta
                $0.segment = segment
                $0.text = word
            }
        }
        if !done { return }
        let text = words.joined()
        whole += text
        if kind != .feedback { last = text }
        switch kind {
        case .answer: usage.answerTokens += words.count
        case .feedback: usage.feedbackTokens += words.count
        default: usage.revisionTokens += words.count
        }
        usage.completionTokens += words.count
        try await send {
            $0.kind = .segmentDone
            $0.segment = segment
            $0.text = text
        }
    }

    mutating func judge(_ index: Int, needed: Bool, forced: Bool) async throws {
        try await send {
            $0.kind = .verdict
            $0.segment = SegmentReference.with {
                $0.kind = .feedback
                $0.index = index
            }
            $0.verdict = Verdict.with {
                $0.needed = needed
                $0.probability = needed ? 0.75 : 0.125
                $0.forced = forced
            }
        }
    }

    mutating func finish(_ revisions: Int) async throws {
        let (answer, whole, usage) = (last, whole, usage)
        try await send {
            $0.kind = .finished
            $0.reason = "stop"
            $0.answer = answer
            $0.wholeGeneration = whole
            $0.usage = usage
            $0.revisions = revisions
        }
    }
}

/// Replicas at ports of this machine.
func replicas(at ports: [Int], file: String? = nil) throws -> ReplicaSet {
    try ReplicaSet(.addresses(ports.map { .init(host: "127.0.0.1", port: $0) }), file: file)
}

/// The gateway's HTTP side over scripted inference, while the body runs.
func withGatewayHTTP<Value: Sendable>(
    _ script: ScriptedInference, keys: APIKeys = .none, registry: MetricsRegistry = .init(),
    _ body: @Sendable (String) async throws -> Value
) async throws -> Value {
    try await serving(script.router()) { port in
        let replicas = try replicas(at: [port])
        let usual = RevisionPolicy.with {
            $0.mode = .autonomous
            $0.maximum = 3
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let http = GatewayHTTP(
            replicas: replicas, keys: keys, usual: usual, registry: registry, logger: logger)
        let part = HTTPPart(
            http.routes(), listen: ListenAddress(host: "127.0.0.1", port: 0), logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await replicas.run() }
            group.addTask { try await part.run() }
            let value = try await body("http://\(try await part.address())")
            group.cancelAll()
            return value
        }
    }
}

/// A program run to its end, or until the task is cancelled.
struct Program: Sendable {
    struct Ended: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Where the Python packages are that foreign clients come from.
    static let python: String = {
        let venv = ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv"
        return venv + "/bin/python"
    }()

    static func exists(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: path)
    }

    /// What the program writes goes to files: reading a pipe would hold up one of the few threads that
    /// the services under test run on.
    static func run(_ path: String, _ arguments: [String]) async throws -> Ended {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let (output, errors) = (try Scratch(), try Scratch())
        process.standardOutput = output.handle
        process.standardError = errors.handle
        let ended = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            ended.continuation.yield($0.terminationStatus)
            ended.continuation.finish()
        }
        try process.run()
        let identifier = process.processIdentifier
        return try await withTaskCancellationHandler {
            var code: Int32 = -1
            for await value in ended.stream { code = value }
            return Ended(code: code, output: try output.text(), errors: try errors.text())
        } onCancel: {
            // The child has inherited the blocked signals of the thread that started it.
            kill(identifier, SIGKILL)
        }
    }

    /// A file of a program's output.
    private struct Scratch {
        let handle: FileHandle
        private let url: URL

        init() throws {
            url = FileManager.default.temporaryDirectory
                .appending(path: "hone-output-\(UInt64.random(in: 0 ... .max))")
            try Data().write(to: url)
            handle = try FileHandle(forWritingTo: url)
        }

        func text() throws -> String {
            defer { try? FileManager.default.removeItem(at: url) }
            return String(decoding: try Data(contentsOf: url), as: UTF8.self)
        }
    }

    /// A request by curl: the HTTP status and the body.
    static func curl(_ url: String, _ arguments: String...) async throws -> (Int, String) {
        let ended = try await run(
            "/usr/bin/curl", ["-sN", "-w", "\n%{http_code}", url] + arguments)
        guard let end = ended.output.lastIndex(of: "\n") else { return (0, ended.errors) }
        let status = Int(ended.output[ended.output.index(after: end)...]) ?? 0
        return (status, String(ended.output[..<end]))
    }

    /// A POST of JSON by curl.
    static func post(_ url: String, _ body: JSON, _ more: String...) async throws -> (Int, JSON) {
        let ended = try await run(
            "/usr/bin/curl",
            [
                "-sN", "-w", "\n%{http_code}", url, "-H", "Content-Type: application/json",
                "-d", body.text(),
            ] + more)
        guard let end = ended.output.lastIndex(of: "\n") else { return (0, .null) }
        let status = Int(ended.output[ended.output.index(after: end)...]) ?? 0
        return (status, try JSON(parsing: String(ended.output[..<end])))
    }
}
