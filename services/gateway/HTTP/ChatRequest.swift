package import Corpus
package import Schema
import Wire

/// A body of `POST /v1/chat/completions`, checked: everything in it is either heeded or refused.
package struct ChatRequest: Sendable {
    package var generate: GenerateRequest
    package var isStreaming = false
    package var includesUsage = false
    /// The model's name as the caller wrote it.
    package var model: String

    /// The names under which a caller takes whatever model is loaded.
    package static let anyModel: Set<String> = ["hone", "default"]

    /// - Parameter usual: the revision policy of requests that give none.
    package init(_ body: JSON, usual: RevisionPolicy) throws {
        guard body.objectValue != nil else {
            throw OpenAIError.invalid("The request body is not a JSON object.", parameter: nil)
        }
        var fields = FieldReader(body)
        model = try fields.string("model") ?? ""
        if model.isEmpty {
            throw OpenAIError.invalid("you must provide a model parameter", parameter: "model")
        }
        generate = GenerateRequest()
        generate.model = Self.anyModel.contains(model) ? "" : model
        generate.messages = try Self.messages(fields.take("messages"))
        generate.sampling = try Self.sampling(&fields)
        generate.policy = try Self.policy(fields.take("revision"), usual: usual)
        // The caller's limit holds for all that is generated, revisions included.
        let limits = [generate.sampling.maximumTokens, generate.policy.maximumTokens]
        generate.policy.maximumTokens = limits.filter { $0 > 0 }.min() ?? 0
        generate.sampling.maximumTokens = 0
        generate.conversation = try fields.string("conversation") ?? ""
        isStreaming = try fields.bool("stream") ?? false
        includesUsage = try Self.includesUsage(fields.take("stream_options"), isStreaming)
        try Self.checkNeutral(&fields)
        if let key = fields.remaining.first {
            throw OpenAIError(
                status: 400, message: "Unrecognized request argument supplied: \(key)",
                type: "invalid_request_error", parameter: key, code: "unknown_parameter")
        }
    }

    private static func messages(_ value: JSON?) throws -> [ChatMessage] {
        guard let value else {
            throw OpenAIError.invalid(
                "Missing required parameter: 'messages'.", parameter: "messages",
                code: "missing_required_parameter")
        }
        guard let array = value.arrayValue, !array.isEmpty else {
            throw OpenAIError.invalid(
                "'messages' must be an array of at least one message.", parameter: "messages")
        }
        let messages = try array.enumerated().map { index, message in
            try Self.message(message, at: "messages[\(index)]")
        }
        // The prompt has one place for what the system says, its beginning.
        return messages.filter { $0.role == "system" } + messages.filter { $0.role != "system" }
    }

    private static func message(_ value: JSON, at place: String) throws -> ChatMessage {
        guard let object = value.objectValue, let role = object["role"]?.stringValue else {
            throw OpenAIError.invalid("'\(place)' has no role.", parameter: "\(place).role")
        }
        guard ["system", "developer", "user", "assistant"].contains(role) else {
            throw OpenAIError.invalid(
                "'\(role)' is not one of ['system', 'developer', 'user', 'assistant'].",
                parameter: "\(place).role")
        }
        for key in object.keys where !["role", "content", "name", "refusal"].contains(key) {
            if object[key]?.isNull ?? true { continue }
            throw OpenAIError.unsupported("\(place).\(key)", "messages of text alone are answered")
        }
        return ChatMessage.with {
            $0.role = role == "developer" ? "system" : role
            $0.content = ""
        }.saying(try text(object["content"], at: "\(place).content"))
    }

    /// A message's text: a string, or parts of type text put together.
    private static func text(_ value: JSON?, at place: String) throws -> String {
        switch value {
        case .string(let text): return text
        case .array(let parts):
            return try parts.enumerated().map { index, part in
                guard part["type"]?.stringValue == "text", let text = part["text"]?.stringValue
                else {
                    throw OpenAIError.unsupported(
                        "\(place)[\(index)]", "only parts of type 'text' are read")
                }
                return text
            }.joined()
        default:
            throw OpenAIError.invalid(
                "'\(place)' must be a string or an array of text parts.", parameter: place)
        }
    }

    private static func sampling(_ fields: inout FieldReader) throws -> Sampling {
        var sampling = Sampling()
        sampling.temperature = try fields.number("temperature", 0...2) ?? 1
        sampling.topP = try fields.number("top_p", 0...1) ?? 1
        sampling.topK = try fields.integer("top_k", 0...1_000_000) ?? 0
        sampling.presencePenalty = try fields.number("presence_penalty", -2...2) ?? 0
        sampling.frequencyPenalty = try fields.number("frequency_penalty", -2...2) ?? 0
        if let seed = try fields.integer("seed", Int.min...Int.max) {
            sampling.seed = Int(UInt(bitPattern: seed) & UInt(Int.max))
        }
        let newer = try fields.integer("max_completion_tokens", 1...1_000_000)
        let older = try fields.integer("max_tokens", 1...1_000_000)
        if newer != nil, older != nil {
            throw OpenAIError.invalid(
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                parameter: "max_tokens")
        }
        sampling.maximumTokens = newer ?? older ?? 0
        switch fields.take("stop") {
        case nil: break
        case .string(let text): sampling.stop = [text]
        case .array(let texts) where texts.count <= 4 && texts.allSatisfy { $0.stringValue != nil }:
            sampling.stop = texts.compactMap(\.stringValue)
        default:
            throw OpenAIError.invalid(
                "'stop' must be a string or an array of up to 4 strings.", parameter: "stop")
        }
        return sampling
    }

    private static func includesUsage(_ value: JSON?, _ isStreaming: Bool) throws -> Bool {
        guard let value else { return false }
        guard isStreaming else {
            throw OpenAIError.invalid(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                parameter: "stream_options")
        }
        var fields = FieldReader(value, under: "stream_options")
        let includes = try fields.bool("include_usage") ?? false
        // Padding against eavesdroppers who count bytes: ours has none to leave out.
        if try fields.bool("include_obfuscation") == true {
            throw OpenAIError.unsupported("stream_options.include_obfuscation", "there is none")
        }
        try fields.finish()
        return includes
    }

    /// Fields that may be there as long as they ask for nothing. Hints that every answer heeds as well
    /// as it can are passed over.
    private static func checkNeutral(_ fields: inout FieldReader) throws {
        for key in [
            "user", "safety_identifier", "prompt_cache_key", "metadata", "reasoning_effort",
            "verbosity",
        ] {
            _ = fields.take(key)
        }
        let neutral: [(String, [JSON], String)] = [
            ("n", [1], "one choice a request is given"),
            ("store", [false], "completions are not stored"),
            ("logprobs", [false], "log-probabilities are not told here"),
            ("top_logprobs", [0], "log-probabilities are not told here"),
            ("logit_bias", [.object(JSONObject())], "tokens cannot be favoured"),
            ("tools", [.array([])], "tools are not called"),
            ("functions", [.array([])], "functions are not called"),
            ("tool_choice", ["none", "auto"], "tools are not called"),
            ("parallel_tool_calls", [false, true], "tools are not called"),
            ("response_format", [["type": "text"]], "answers are text"),
            ("service_tier", ["auto", "default"], "there is one tier"),
            ("modalities", [["text"]], "answers are text"),
        ]
        for (key, values, reason) in neutral {
            if let value = fields.take(key), !values.contains(value) {
                throw OpenAIError.unsupported(key, reason)
            }
        }
    }
}

extension ChatMessage {
    fileprivate func saying(_ text: String) -> ChatMessage {
        var message = self
        message.content = text
        return message
    }
}

// MARK: - The revision object

extension ChatRequest {
    /// The revisions that the `revision` object asks for.
    ///
    /// ```
    /// {"mode": "off|autonomous|enforced", "minimum": 0, "maximum": 3, "maximum_tokens": 2000,
    ///  "milliseconds": 60000, "stop_on_fixpoint": true, "threshold": 0.5, "rollback": "verdict"}
    /// ```
    package static func policy(_ value: JSON?, usual: RevisionPolicy) throws -> RevisionPolicy {
        guard let value else { return usual }
        if value.objectValue == nil {
            throw OpenAIError.invalid("'revision' must be an object.", parameter: "revision")
        }
        var fields = FieldReader(value, under: "revision")
        var policy = usual
        if let name = try fields.string("mode") {
            guard let mode = RevisionMode(name: name) else {
                throw OpenAIError.invalid(
                    "'\(name)' is not one of ['off', 'autonomous', 'enforced'].",
                    parameter: "revision.mode")
            }
            policy.mode = mode
        }
        let minimum = try fields.integer("minimum", 0...100)
        let maximum = try fields.integer("maximum", 0...100)
        policy.minimum = minimum ?? (policy.mode == .enforced ? maximum ?? usual.minimum : 0)
        policy.maximum = maximum ?? usual.maximum.map { max($0, policy.minimum) }
        if let maximum = policy.maximum, maximum < policy.minimum {
            throw OpenAIError.invalid(
                "'revision.maximum' is \(maximum), below 'revision.minimum', \(policy.minimum).",
                parameter: "revision.maximum")
        }
        // With no revision allowed there is nothing to decide on, and no feedback to ask for.
        if policy.maximum == 0 { policy.mode = .off }
        policy.maximumTokens =
            try fields.integer("maximum_tokens", 1...10_000_000) ?? usual.maximumTokens
        policy.milliseconds =
            try fields.integer("milliseconds", 1...86_400_000) ?? usual.milliseconds
        policy.stopOnFixpoint = try fields.bool("stop_on_fixpoint") ?? usual.stopOnFixpoint
        policy.threshold = try fields.number("threshold", 0...1) ?? usual.threshold
        if let name = try fields.string("rollback") {
            guard let rollback = Rollback(name: name) else {
                throw OpenAIError.invalid(
                    "'\(name)' is not one of ['verdict', 'feedback'].",
                    parameter: "revision.rollback")
            }
            policy.rollback = rollback
        }
        try fields.finish()
        return policy
    }
}
