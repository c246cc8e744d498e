public import RPC

/// Serves one loaded model: answers with feedback and revisions, plain completions, scores.
public enum InferenceAPI {
    public static let service = "hone.Inference"

    public static let generate = Method<GenerateRequest, GenerateEvent>(
        service: service, name: "Generate", kind: .serverStreaming)
    public static let complete = Method<CompleteRequest, CompletionEvent>(
        service: service, name: "Complete", kind: .serverStreaming)
    public static let tokenize = Method<TokenizeRequest, TokenizeReply>(
        service: service, name: "Tokenize", kind: .unary, idempotent: true)
    public static let detokenize = Method<DetokenizeRequest, DetokenizeReply>(
        service: service, name: "Detokenize", kind: .unary, idempotent: true)
    public static let score = Method<ScoreRequest, ScoreReply>(
        service: service, name: "Score", kind: .unary, idempotent: true)
    public static let status = Method<Empty, InferenceStatus>(
        service: service, name: "Status", kind: .unary, idempotent: true)
    public static let load = Method<LoadRequest, InferenceStatus>(
        service: service, name: "Load", kind: .unary, idempotent: true)

    /// Every call, as the schema lists them.
    package static let methods = [
        MethodDescription(generate),
        MethodDescription(complete),
        MethodDescription(tokenize),
        MethodDescription(detokenize),
        MethodDescription(score),
        MethodDescription(status),
        MethodDescription(load),
    ]

    /// What a service that answers these calls provides.
    public protocol Handler: Sendable {
        /// Answers, criticises and revises; every step is an event.
        func generate(
            _ request: GenerateRequest, _ responses: ResponseWriter<GenerateEvent>,
            _ context: CallContext) async throws
        /// Continues a text or tokens, without revisions.
        func complete(
            _ request: CompleteRequest, _ responses: ResponseWriter<CompletionEvent>,
            _ context: CallContext) async throws
        /// Turns text into tokens.
        func tokenize(_ request: TokenizeRequest, _ context: CallContext) async throws
            -> TokenizeReply
        /// Turns tokens into text.
        func detokenize(_ request: DetokenizeRequest, _ context: CallContext) async throws
            -> DetokenizeReply
        /// Gives the log-probability of each token after the first.
        func score(_ request: ScoreRequest, _ context: CallContext) async throws -> ScoreReply
        /// Tells what is loaded and how busy it is.
        func status(_ request: Empty, _ context: CallContext) async throws -> InferenceStatus
        /// Loads another model in place of the present one.
        func load(_ request: LoadRequest, _ context: CallContext) async throws -> InferenceStatus
    }
}

extension Router {
    /// Answers every call of `hone.Inference` with `handler`.
    public mutating func register(_ handler: some InferenceAPI.Handler) {
        serverStreaming(InferenceAPI.generate, handler.generate)
        serverStreaming(InferenceAPI.complete, handler.complete)
        unary(InferenceAPI.tokenize, handler.tokenize)
        unary(InferenceAPI.detokenize, handler.detokenize)
        unary(InferenceAPI.score, handler.score)
        unary(InferenceAPI.status, handler.status)
        unary(InferenceAPI.load, handler.load)
    }
}
