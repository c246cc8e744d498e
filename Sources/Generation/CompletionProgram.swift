public import Tokenization

/// Why a generation ended.
public enum FinishReason: String, Sendable {
    /// The model ended it, or a stop text was found.
    case stop
    /// The limit of tokens or the model's context was reached.
    case length
}

/// Continues a prompt by sampled tokens.
public struct CompletionProgram: SequenceProgram {
    /// What one step brought.
    public struct Piece: Sendable {
        public var text = ""
        public var tokens: [TokenID] = []
        /// One for each token, when they were asked for.
        public var logProbabilities: [Float] = []
        /// The likeliest tokens at each token's place.
        public var top: [[(id: Int32, logProbability: Float)]] = []
    }

    public struct Settings: Sendable {
        public var sampling = Sampling()
        public var maximumTokens = 256
        public var stops: [String] = []
        /// Tokens that end the generation.
        public var endIDs: Set<TokenID> = []
        /// Nil for no log-probabilities, else how many of the likeliest to report.
        public var logProbabilities: Int?

        public init() {}
    }

    private let prompt: [TokenID]
    private let settings: Settings
    private let emit: @Sendable (Piece) -> Void
    private var sampler: Sampler
    private var stream: StreamingDecoder
    private var matcher: StopMatcher
    private var logits: [Float] = []
    /// The tokens generated, the one that ends it left out.
    public private(set) var tokens: [TokenID] = []
    public private(set) var text = ""
    public private(set) var reason = FinishReason.length

    /// - Parameter emit: called on the scheduler's thread with each step's text and tokens.
    public init(
        prompt: [TokenID], tokenizer: Tokenizer, settings: Settings,
        emit: @escaping @Sendable (Piece) -> Void = { _ in }
    ) {
        self.prompt = prompt
        self.settings = settings
        self.emit = emit
        sampler = Sampler(settings.sampling)
        stream = tokenizer.streamingDecoder()
        // A continuation keeps the space that the first piece of a text would lose.
        for id in prompt { _ = stream.append(id) }
        matcher = StopMatcher(settings.stops)
    }

    public mutating func receive(_ rows: LogitRows) {
        logits = rows.last
    }

    public mutating func next(_ situation: SequenceSituation) -> SequenceCommand {
        if logits.isEmpty {
            if prompt.isEmpty { return .fail(.emptyPrompt) }
            if let id = prompt.first(where: { $0 < 0 || Int($0) >= situation.vocabularySize }) {
                return .fail(.unknownToken(id: Int(id), vocabulary: situation.vocabularySize))
            }
            return .feed(prompt)
        }
        guard tokens.count < settings.maximumTokens else { return finish(.length) }
        let id = sampler.draw(logits)
        if settings.endIDs.contains(id) { return finish(.stop) }
        tokens.append(id)
        let (shown, isStopped) = matcher.push(stream.append(id))
        text += shown
        var piece = Piece(text: shown, tokens: [id])
        if let count = settings.logProbabilities {
            let normalizer = LogProbability.normalizer(logits[...])
            piece.logProbabilities = [logits[Int(id)] - normalizer]
            piece.top = [LogProbability.top(count, of: logits[...], normalizer: normalizer)]
        }
        emit(piece)
        if isStopped { return end(.stop) }
        if tokens.count >= settings.maximumTokens || situation.count >= situation.contextLength {
            return finish(.length)
        }
        return .feed([id])
    }

    private mutating func finish(_ reason: FinishReason) -> SequenceCommand {
        let (shown, isStopped) = matcher.push(stream.finish())
        let rest = shown + (isStopped ? "" : matcher.finish())
        text += rest
        if !rest.isEmpty { emit(Piece(text: rest)) }
        return end(reason)
    }

    private mutating func end(_ reason: FinishReason) -> SequenceCommand {
        self.reason = reason
        return .finish
    }
}
