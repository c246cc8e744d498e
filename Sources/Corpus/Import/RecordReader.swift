/// Turns one parsed row into the records of its format, or says why not.
struct RecordReader {
    let options: ImportOptions
    let format: RecordFormat

    func read(_ json: JSON, _ row: JSONRecordSplitter.Record) throws(Rejection) -> [JSON] {
        switch format.kind {
        case .chain:
            return [
                try checked(row) { () throws(CorpusError) in try Chain(json, line: row.line).json }
            ]
        case .record:
            return [try checked(row) { () throws(CorpusError) in try plainRecord(json, row.line) }]
        case .example:
            if format == .sharegpt { return [try conversation(json, row)] }
            let examples = try checked(row) { () throws(CorpusError) in
                try RawExamples.read(json, format: format, line: row.line)
            }
            if options.englishOnly {
                for example in examples {
                    try checkEnglish(example.instruction, example.output ?? "", row)
                }
            }
            return examples.map(\.json)
        }
    }

    private func checked<Value>(
        _ row: JSONRecordSplitter.Record, _ body: () throws(CorpusError) -> Value
    ) throws(Rejection) -> Value {
        do {
            return try body()
        } catch {
            throw rejection(.invalidRow, error.description, row)
        }
    }

    private func plainRecord(_ json: JSON, _ line: Int) throws(CorpusError) -> JSON {
        let reader = try FieldReader(json, line: line)
        for field in format.requiredFields where reader.object[field] == nil {
            throw reader.missing(field, "present")
        }
        if format == .chat, reader.object["messages"] == nil {
            _ = try reader.array("conversations")
        }
        return json
    }

    private func rejection(
        _ reason: Rejection.Reason, _ detail: String, _ row: JSONRecordSplitter.Record
    ) -> Rejection {
        Rejection(reason: reason, detail: detail, line: row.line, row: row.bytes)
    }
}

// Conversations.
extension RecordReader {
    /// Makes an example of a conversation's pair, by the original's rule: both texts English, and the
    /// answer no question.
    private func conversation(
        _ json: JSON, _ row: JSONRecordSplitter.Record
    ) throws(Rejection) -> JSON {
        let turns = try checked(row) { () throws(CorpusError) in
            try FieldReader(json, line: row.line).array("conversations")
        }
        let (question, answer) = try pair(of: turns, row)
        let instruction = HTMLText.text(of: question)
        let output = HTMLText.text(of: answer)
        for (name, text) in [("instruction", instruction), ("output", output)]
        where !LanguageDetector.hasLetters(text) {
            throw rejection(.noText, "the \(name) has no letters", row)
        }
        if options.englishOnly { try checkEnglish(instruction, output, row) }
        if options.dropsQuestions, output.unicodeScalars.last == "?" {
            throw rejection(.question, "the output asks back", row)
        }
        return Example(instruction: instruction, output: output).json
    }

    private func pair(
        of turns: [JSON], _ row: JSONRecordSplitter.Record
    ) throws(Rejection) -> (question: String, answer: String) {
        if turns.count < 2 {
            throw rejection(.fewerThanTwoTurns, "\(turns.count) messages", row)
        }
        var first = 0
        if options.pairRule == .human {
            let start = turns.indices.dropLast().first {
                Self.isHuman(turns[$0]) && Self.isAssistant(turns[$0 + 1])
            }
            guard let start else {
                throw rejection(.noHumanTurn, "\(turns.count) messages", row)
            }
            first = start
        }
        guard let question = turns[first]["value"]?.stringValue,
            let answer = turns[first + 1]["value"]?.stringValue
        else { throw rejection(.invalidRow, "a message has no string 'value'", row) }
        return (question, answer)
    }

    private static func isHuman(_ turn: JSON) -> Bool {
        ["human", "user"].contains(turn["from"]?.stringValue)
    }

    private static func isAssistant(_ turn: JSON) -> Bool {
        ["gpt", "assistant", "chatgpt", "bing", "bard"].contains(turn["from"]?.stringValue)
    }

    private func checkEnglish(
        _ instruction: String, _ output: String, _ row: JSONRecordSplitter.Record
    ) throws(Rejection) {
        if !LanguageDetector.isEnglish(instruction) {
            let found = LanguageDetector.detect(instruction).language ?? "unknown"
            throw rejection(.instructionNotEnglish, "language \(found)", row)
        }
        if LanguageDetector.hasLetters(output), !LanguageDetector.isEnglish(output) {
            let found = LanguageDetector.detect(output).language ?? "unknown"
            throw rejection(.outputNotEnglish, "language \(found)", row)
        }
    }
}
