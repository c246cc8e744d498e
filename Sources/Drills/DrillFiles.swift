public import Corpus

/// A set of drills in the forms of the files that the services read.
public enum DrillFiles {
    /// An Alpaca file: a JSON array of `instruction`, `input` and `output`, the right answer.
    public static func alpaca(_ drills: [Drill]) -> JSON {
        .array(
            drills.map {
                [
                    "instruction": .string($0.instruction), "input": "",
                    "output": .string($0.answer),
                ]
            })
    }

    /// The rows of a question file; ids count from 1.
    public static func questions(_ drills: [Drill]) -> [JSON] {
        rows(drills) { $0.instruction }
    }

    /// The right answers, in the form of an answer file.
    public static func expected(_ drills: [Drill]) -> [JSON] {
        rows(drills) { $0.answer }
    }

    private static func rows(_ drills: [Drill], _ text: (Drill) -> String) -> [JSON] {
        drills.enumerated().map { index, drill in
            [
                "question_id": .int(index + 1), "text": .string(text(drill)),
                "category": .string(drill.family.rawValue),
            ]
        }
    }

    /// Every instruction in a file of any of these forms.
    public static func instructions(in bytes: [UInt8]) throws(JSONError) -> Set<String> {
        var splitter = JSONRecordSplitter()
        var records = try splitter.push(bytes)
        if let last = try splitter.finish() { records.append(last) }
        var instructions: Set<String> = []
        for record in records {
            let row = try record.parse()
            if let text = (row["instruction"] ?? row["text"])?.stringValue {
                instructions.insert(text.trimmed())
            }
        }
        return instructions
    }
}
