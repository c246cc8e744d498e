import ArgumentParser
import FoundationEssentials
import Glibc
import RPC
import Schema
import ServiceKit
import Wire

/// `hone chat`: answers, feedback and revisions in the terminal, as they come.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talk to the model that inference serves.",
        discussion: """
            Ends with the end of the input. Without a terminal, or with --prompt, only final answers go to \
            standard output.

            Example: hone chat --mode enforced --minimum 2
            """)

    @Option(help: "One question instead of a conversation.") var prompt: String?
    @Option(help: "off, autonomous or enforced.") var mode = "autonomous"
    @Option(help: "At least so many revisions.") var minimum = 0
    @Option(help: "At most so many revisions.") var maximum = 3
    @Option(help: "0 takes the likeliest token each time.") var temperature = 0.0
    @Option(help: "Tokens a text may have.") var maxTokens = 512
    @Option(help: "What an overruled verdict takes with it: verdict, or the whole feedback.")
    var rollback = "verdict"
    @Flag(help: "Print each answer as JSON.") var json = false
    @OptionGroup var connection: ServiceConnection

    func validate() throws {
        guard RevisionMode(name: mode) != nil else {
            throw ValidationError("--mode is \"\(mode)\"; write off, autonomous or enforced")
        }
        guard Rollback(name: rollback) != nil else {
            throw ValidationError("--rollback is \"\(rollback)\"; write verdict or feedback")
        }
        guard minimum >= 0, maximum >= 0, maxTokens > 0, temperature >= 0 else {
            throw ValidationError("numbers of revisions and tokens are not negative")
        }
    }

    func run() async throws {
        try await connection.call(.inference) { client in
            var request = self.request
            if let prompt {
                request.messages = [Self.message("user", prompt)]
                return try await answer(request, client, isShown: false)
            }
            let isTerminal = isatty(STDIN_FILENO) == 1
            while true {
                if isTerminal { StandardError.write("> ") }
                guard let line = readLine() else { break }
                if line.allSatisfy(\.isWhitespace) { continue }
                request.messages.append(Self.message("user", line))
                try await answer(request, client, isShown: isTerminal) {
                    request.messages.append(Self.message("assistant", $0))
                }
            }
        }
    }

    private var request: GenerateRequest {
        var request = GenerateRequest()
        request.policy.mode = RevisionMode(name: mode) ?? .autonomous
        request.policy.minimum = minimum
        request.policy.maximum = max(maximum, minimum)
        request.policy.rollback = Rollback(name: rollback) ?? .verdict
        request.sampling.temperature = temperature
        request.sampling.maximumTokens = maxTokens
        request.conversation = UUID().uuidString
        return request
    }

    private static func message(_ role: String, _ content: String) -> ChatMessage {
        ChatMessage.with {
            $0.role = role
            $0.content = content
        }
    }

    private struct Result: Encodable {
        var answer: String
        var revisions: Int
        var reason: String
        var tokens: Int
    }

    private func answer(
        _ request: GenerateRequest, _ client: Client, isShown: Bool,
        _ finished: (String) -> Void = { _ in }
    ) async throws {
        let view = ChatView(isShown: isShown && !json)
        let options = CallOptions(affinity: request.conversation)
        try await client.serverStreaming(InferenceAPI.generate, request, options: options) {
            events in
            for try await event in events {
                view.show(event)
                guard event.kind == .finished else { continue }
                finished(event.answer)
                if json {
                    let tokens = event.usage?.completionTokens ?? 0
                    try JSONOutput.print(
                        Result(
                            answer: event.answer, revisions: event.revisions,
                            reason: event.reason, tokens: tokens))
                } else if !view.isShown {
                    print(event.answer)
                }
            }
        }
    }
}

/// What a terminal shows of an answer that is being made: feedback faint, drafts plain.
private struct ChatView {
    let isShown: Bool

    func show(_ event: GenerateEvent) {
        guard isShown else { return }
        switch event.kind {
        case .segmentStarted:
            guard let segment = event.segment else { return }
            let title =
                switch segment.kind {
                case .answer: "answer"
                case .feedback: "feedback \(segment.index + 1)"
                default: "revision \(segment.index + 1)"
                }
            put("\u{1B}[1m\(title)\u{1B}[0m\n")
            if segment.kind == .feedback { put("\u{1B}[2m") }
        case .delta: put(Self.printable(event.text))
        case .segmentDone: put("\u{1B}[0m\n")
        case .verdict:
            guard let verdict = event.verdict else { return }
            let text = verdict.needed ? "a revision is needed" : "no revision is needed"
            put("\u{1B}[0m\n[\(text)\(verdict.forced ? ", enforced" : "")]\n")
        case .finished: put("\u{1B}[2m[\(event.revisions) revisions, \(event.reason)]\u{1B}[0m\n")
        case .usage, .unspecified, .unknown: break
        }
    }

    private func put(_ text: String) {
        StandardOutput.write(text)
    }

    /// Model text cannot command the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0 >= " " || $0 == "\n" || $0 == "\t" }))
    }
}
