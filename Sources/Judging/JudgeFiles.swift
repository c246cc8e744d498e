internal import Corpus

/// A question both models answered.
public struct Question: Sendable, Equatable {
    public var id: Int
    public var text: String
    /// `coding` and `math` have reviewers of their own.
    public var category: String

    public init(id: Int, text: String, category: String = "general") {
        self.id = id
        self.text = text
        self.category = category
    }

    /// The rows of a question file: `question_id`, `text` and `category`.
    public static func read(_ bytes: [UInt8], file: String) throws(JudgingError) -> [Question] {
        try Rows(bytes, file: file).map { (row) throws(JudgingError) in
            Question(
                id: try row.int("question_id"), text: try row.string("text"),
                category: row.object["category"]?.stringValue ?? "general")
        }
    }
}

/// What one model answered to one question.
public struct Answer: Sendable, Equatable {
    public var questionID: Int
    public var text: String
    /// Some released answer files have no ids.
    public var id: String?

    public init(questionID: Int, text: String, id: String? = nil) {
        self.questionID = questionID
        self.text = text
        self.id = id
    }

    /// The rows of an answer file; what else they hold is left aside.
    public static func read(_ bytes: [UInt8], file: String) throws(JudgingError) -> [Answer] {
        try Rows(bytes, file: file).map { (row) throws(JudgingError) in
            Answer(
                questionID: try row.int("question_id"), text: try row.string("text"),
                id: row.object["answer_id"]?.stringValue)
        }
    }
}

/// A judge's role: which prompt it uses for which category.
public struct Reviewer: Sendable, Equatable {
    public var id: String
    public var promptID: Int
    public var category: String

    public init(id: String, promptID: Int, category: String) {
        self.id = id
        self.promptID = promptID
        self.category = category
    }

    /// The rows of a reviewer file.
    public static func read(_ bytes: [UInt8], file: String) throws(JudgingError) -> [Reviewer] {
        let all = try Rows(bytes, file: file).map { (row) throws(JudgingError) in
            Reviewer(
                id: try row.string("reviewer_id"), promptID: try row.int("prompt_id"),
                category: try row.string("category"))
        }
        guard !all.isEmpty else { throw .noReviewer(file: file) }
        return all
    }

    /// The place of the reviewer for a category: the first of that category, else the first of all.
    public static func place(for category: String, in reviewers: [Reviewer]) -> Int {
        reviewers.firstIndex { $0.category == category } ?? 0
    }
}

/// A judge's instructions: the system message, and a template for the user's.
public struct JudgePrompt: Sendable, Equatable {
    public var id: Int
    public var system: String
    /// Python's `str.format` text with `{question}`, `{answer_1}`, `{answer_2}` and the defaults.
    public var template: String
    public var defaults: [String: String]

    public init(id: Int, system: String, template: String, defaults: [String: String]) {
        self.id = id
        self.system = system
        self.template = template
        self.defaults = defaults
    }

    /// The rows of a prompt file.
    public static func read(_ bytes: [UInt8], file: String) throws(JudgingError) -> [JudgePrompt] {
        try Rows(bytes, file: file).map { (row) throws(JudgingError) in
            guard let defaults = row.object["defaults"]?.objectValue else {
                throw row.wrong("defaults", "an object")
            }
            var texts: [String: String] = [:]
            for member in defaults {
                guard let text = member.value.stringValue else {
                    throw row.wrong("defaults.\(member.key)", "a string")
                }
                texts[member.key] = text
            }
            return JudgePrompt(
                id: try row.int("prompt_id"), system: try row.string("system_prompt"),
                template: try row.string("prompt_template"), defaults: texts)
        }
    }

    /// The user's message for one question and two answers.
    public func userText(
        question: String, first: String, second: String
    ) throws(JudgingError) -> String {
        var values = defaults
        values["question"] = question
        values["answer_1"] = first
        values["answer_2"] = second
        var text = ""
        var rest = template[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            text += rest[..<brace]
            let after = rest.index(after: brace)
            if after < rest.endIndex, rest[after] == rest[brace] {
                text.append(rest[brace])
                rest = rest[rest.index(after: after)...]
                continue
            }
            let name = rest[after...].prefix { $0 != "}" }
            guard rest[brace] == "{", name.endIndex < rest.endIndex,
                let value = values[String(name)]
            else { throw .template(name: String(name.prefix(40)), prompt: id) }
            text += value
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return text + rest
    }
}
