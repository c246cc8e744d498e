public import Wire

/// Asks for a continuation.
public struct CompleteRequest: WireMessage {
    public static let wireName = "hone.inference.CompleteRequest"
    public var model = ""
    public var prompt = ""
    public var tokens: [UInt32] = []
    public var sampling = Sampling()
    public var logprobs = 0
    public var echo = false

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "model", &model)
        coder.string(2, "prompt", &prompt)
        coder.packed(3, "tokens", &tokens)
        coder.message(4, "sampling", &sampling)
        coder.uint(5, "logprobs", &logprobs)
        coder.bool(6, "echo", &echo)
    }
}

/// More of a continuation.
public struct CompletionEvent: WireMessage {
    public static let wireName = "hone.inference.CompletionEvent"
    public var text = ""
    public var tokens: [UInt32] = []
    public var logprobs: [Float] = []
    public var finished = false
    public var reason = ""
    public var usage: Usage?

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "text", &text)
        coder.packed(2, "tokens", &tokens)
        coder.packed(3, "logprobs", &logprobs)
        coder.bool(4, "finished", &finished)
        coder.string(5, "reason", &reason)
        coder.message(6, "usage", &usage)
    }
}

/// Asks for a text's tokens.
public struct TokenizeRequest: WireMessage {
    public static let wireName = "hone.inference.TokenizeRequest"
    public var text = ""
    public var special = false

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "text", &text)
        coder.bool(2, "special", &special)
    }
}

/// A text's tokens.
public struct TokenizeReply: WireMessage {
    public static let wireName = "hone.inference.TokenizeReply"
    public var tokens: [UInt32] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.packed(1, "tokens", &tokens)
    }
}

/// Asks for the text of tokens.
public struct DetokenizeRequest: WireMessage {
    public static let wireName = "hone.inference.DetokenizeRequest"
    public var tokens: [UInt32] = []
    public var special = false

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.packed(1, "tokens", &tokens)
        coder.bool(2, "special", &special)
    }
}

/// The text of tokens.
public struct DetokenizeReply: WireMessage {
    public static let wireName = "hone.inference.DetokenizeReply"
    public var text = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "text", &text)
    }
}

/// Asks how likely tokens are.
public struct ScoreRequest: WireMessage {
    public static let wireName = "hone.inference.ScoreRequest"
    public var tokens: [UInt32] = []
    public var top = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.packed(1, "tokens", &tokens)
        coder.uint(2, "top", &top)
    }
}

/// The likeliest tokens at one place.
public struct TopList: WireMessage {
    public static let wireName = "hone.inference.TopList"
    public var tokens: [UInt32] = []
    public var logprobs: [Float] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.packed(1, "tokens", &tokens)
        coder.packed(2, "logprobs", &logprobs)
    }
}

/// How likely the tokens are.
public struct ScoreReply: WireMessage {
    public static let wireName = "hone.inference.ScoreReply"
    public static let maximumBytes = 64 << 20
    public var logprobs: [Float] = []
    public var top: [TopList] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.packed(1, "logprobs", &logprobs)
        coder.repeated(2, "top", &top)
    }
}

/// What is loaded and how busy it is.
public struct InferenceStatus: WireMessage {
    public static let wireName = "hone.inference.InferenceStatus"
    public var model = ""
    public var ready = false
    public var slots = 0
    public var active = 0
    public var queued = 0
    public var contextLength = 0
    public var vocabulary = 0
    public var generatedTokens = 0
    public var tokensPerSecond = 0.0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "model", &model)
        coder.bool(2, "ready", &ready)
        coder.uint(3, "slots", &slots)
        coder.uint(4, "active", &active)
        coder.uint(5, "queued", &queued)
        coder.uint(6, "contextLength", &contextLength)
        coder.uint(7, "vocabulary", &vocabulary)
        coder.uint(8, "generatedTokens", &generatedTokens)
        coder.f64(9, "tokensPerSecond", &tokensPerSecond)
    }
}

/// Asks for another model.
public struct LoadRequest: WireMessage {
    public static let wireName = "hone.inference.LoadRequest"
    public var model = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "model", &model)
    }
}
