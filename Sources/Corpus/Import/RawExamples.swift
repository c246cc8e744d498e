/// How the rows of each raw collection become examples.
enum RawExamples {
    static func read(
        _ json: JSON, format: RecordFormat, line: Int
    ) throws(CorpusError) -> [Example] {
        if format == .flan { return [try flan(json, line)] }
        let reader = try FieldReader(json, line: line)
        switch format {
        case .gsm8k: return [try simple(reader, "question", "answer")]
        case .math: return [try simple(reader, "problem", "solution")]
        case .mbpp:
            return [try simple(reader, reader.object["text"] == nil ? "prompt" : "text", "code")]
        case .conala: return [try conala(reader)]
        case .aqua: return [try aqua(reader)]
        case .drrepair: return [try drRepair(reader, line)]
        default: return try alpaca(json, reader, line)
        }
    }

    private static func simple(
        _ reader: FieldReader, _ instruction: String, _ output: String
    ) throws(CorpusError) -> Example {
        Example(instruction: try reader.string(instruction), output: try reader.string(output))
    }

    /// An Alpaca row is an example already; a seed task has its inputs and outputs in `instances`.
    private static func alpaca(
        _ json: JSON, _ reader: FieldReader, _ line: Int
    ) throws(CorpusError) -> [Example] {
        guard reader.object["instances"] != nil else { return [try Example(json, line: line)] }
        let instruction = try reader.string("instruction")
        var examples: [Example] = []
        for instance in try reader.array("instances") {
            let fields = try FieldReader(instance, line: line)
            examples.append(
                Example(
                    instruction: instruction, input: try fields.optionalString("input") ?? "",
                    output: try fields.string("output")))
        }
        return examples
    }

    /// The intent as people rewrote it, where they did.
    private static func conala(_ reader: FieldReader) throws(CorpusError) -> Example {
        let intent = try reader.string("intent")
        let rewritten = try reader.optionalString("rewritten_intent")
        return Example(
            instruction: rewritten ?? intent, output: try reader.string("snippet"))
    }

    private static func aqua(_ reader: FieldReader) throws(CorpusError) -> Example {
        Example(
            instruction: try reader.string("question"),
            input: try reader.strings("options").joined(separator: "\n"),
            output: try reader.string("rationale") + "\nThe answer is "
                + reader.string("correct") + ".")
    }

    /// A row of a table (question, answer, chain of thought), or an object with `inputs` and
    /// `targets`.
    private static func flan(_ json: JSON, _ line: Int) throws(CorpusError) -> Example {
        guard case .array(let cells) = json else {
            let reader = try FieldReader(json, line: line)
            let isShort = reader.object["inputs"] != nil
            return try simple(
                reader, isShort ? "inputs" : "instruction", isShort ? "targets" : "output")
        }
        guard cells.count == 3, let question = cells[0].stringValue,
            let answer = cells[1].stringValue, let thought = cells[2].stringValue
        else {
            throw .record(
                line: line, field: "row", expected: "three cells", found: "\(cells.count) cells")
        }
        return Example(
            instruction: question, output: thought + "\nThe answer is " + answer + ".")
    }

    /// A C++ program that does not compile, the compiler's message, and the program repaired.
    private static func drRepair(_ reader: FieldReader, _ line: Int) throws(CorpusError) -> Example
    {
        guard let error = reader.object["err_line"], let number = error["lineno"]?.intValue,
            let message = error["msg"]?.stringValue
        else { throw reader.missing("err_line", "an object with 'lineno' and 'msg'") }
        let broken = try program(reader.array("code_lines"), line)
        // The message counts lines from 0, people from 1.
        let instruction =
            "The following C++ program does not compile. The compiler reports an error in line "
            + "\(number + 1): \(message)\nRepair the program."
        let repaired: String
        if reader.object["gold_code_lines"] != nil {
            repaired = try program(reader.array("gold_code_lines"), line)
        } else {
            return Example(instruction: instruction, input: broken)
        }
        return Example(instruction: instruction, input: broken, output: repaired)
    }

    private static func program(_ lines: [JSON], _ line: Int) throws(CorpusError) -> String {
        var text: [String] = []
        for element in lines {
            let reader = try FieldReader(element, line: line)
            let depth = max(0, min(64, try reader.int("indent")))
            text.append(String(repeating: "    ", count: depth) + (try reader.string("code")))
        }
        return text.joined(separator: "\n")
    }
}
