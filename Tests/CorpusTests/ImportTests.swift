import Corpus
import FoundationEssentials
import TestKit
import Testing

@Suite struct ImportTests {
    private func outcomes(
        _ text: String, _ format: RecordFormat, _ options: ImportOptions = ImportOptions()
    ) throws -> [ImportOutcome] {
        var importer = RecordImporter(format: format, options: options)
        return try importer.push(Array(text.utf8)) + importer.finish()
    }

    private func reasons(_ outcomes: [ImportOutcome]) -> [String] {
        outcomes.map { outcome in
            switch outcome {
            case .kept: "kept"
            case .rejected(let rejection): rejection.reason.rawValue
            }
        }
    }

    private func conversation(_ turns: [(String, String)]) -> JSON {
        let messages = turns.map { JSON.object(["from": .string($0.0), "value": .string($0.1)]) }
        return ["id": "x", "conversations": .array(messages)]
    }

    @Test func `every conversation is kept or rejected with its reason`() throws {
        let question = "How do I boil an egg without breaking it?"
        let rows: [JSON] = [
            conversation([("human", question), ("gpt", "<p>Put it in hot &amp; salted water.</p>")]
            ),
            conversation([("human", question)]),
            conversation([("human", question), ("gpt", "Do you want it soft or rather hard?")]),
            conversation([
                ("human", "Wie koche ich ein Ei, ohne dass es bricht?"), ("gpt", question),
            ]),
            conversation([("human", question), ("gpt", "Man legt es vorsichtig in heißes Wasser.")]
            ),
            conversation([("human", question), ("gpt", "<div></div>")]),
            ["id": "y"], "text",
        ]
        let text = rows.map { $0.text() }.joined(separator: "\n") + "\n{broken"
        let found = try outcomes(text, .sharegpt, ImportOptions(englishOnly: true))
        #expect(
            reasons(found) == [
                "kept", "fewer than two messages", "output ends with ?", "instruction not English",
                "output not English", "no text", "row of the wrong shape", "row of the wrong shape",
                "invalid JSON",
            ])
        guard case .kept(let record) = found[0] else { return }
        #expect(
            record.json
                == Example(instruction: question, output: "Put it in hot & salted water.").json)
    }

    @Test func `the human rule begins at the first human turn that is answered`() throws {
        let row = conversation([
            ("gpt", "An earlier answer of no interest."), ("human", "Please tell me about cats."),
            ("gpt", "Cats are small animals that sleep a lot."),
        ])
        let found = try outcomes(row.text(), .sharegpt, ImportOptions(pairRule: .human))
        guard case .kept(let record) = found[0] else {
            Issue.record("not kept")
            return
        }
        #expect(record.json["instruction"] == "Please tell me about cats.")
        let alone = conversation([("gpt", "One two three."), ("gpt", "Four five six.")])
        let none = try outcomes(alone.text(), .sharegpt, ImportOptions(pairRule: .human))
        #expect(reasons(none) == ["no human message with an answer"])
    }

    @Test func `duplicates are counted and the limit ends the reading`() throws {
        let row = #"{"instruction": "i", "input": "", "output": "o"}"#
        let other = #"{"instruction": "j", "input": "", "output": "o"}"#
        let text = [row, row, other, other].joined(separator: "\n")
        let found = try outcomes(text, .alpaca, ImportOptions(dropsDuplicates: true))
        #expect(reasons(found) == ["kept", "duplicate", "kept", "duplicate"])
        let few = try outcomes(text, .alpaca, ImportOptions(limit: 1))
        #expect(reasons(few) == ["kept"])
    }

    @Test func `a table's row is a question, an answer and a thought`() throws {
        let found = try outcomes("Is it?\\nOptions:\\n- yes\tyes\tIt is.\nbroken\n", .flan)
        guard case .kept(let record) = found[0] else {
            Issue.record("not kept")
            return
        }
        #expect(record.json["instruction"] == "Is it?\nOptions:\n- yes")
        #expect(record.json["output"] == "It is.\nThe answer is yes.")
        #expect(reasons(found) == ["kept", "row of the wrong shape"])
    }

    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: [
            ("alpaca/alpaca_data.first1500.json", RecordFormat.alpaca, 1500),
            ("alpaca/alpaca_en_demo.json", .alpaca, 999), ("alpaca/seed_tasks.jsonl", .alpaca, 175),
            ("aqua/dev.json", .aqua, 254), ("conala/conala-train.json", .conala, 2378),
            ("drrepair/err-dev.first300.jsonl", .drrepair, 300),
            ("flan/cot_data/creak_train.tsv", .flan, 3000),
            ("flan/cot_data/qasc_train.tsv", .flan, 1084),
            ("flan/cot_data/strategyqa_train.tsv", .flan, 2061),
            ("gsm8k/train.first3000.jsonl", .gsm8k, 3000),
            ("math/math_test.rows0_1999.jsonl", .math, 2000),
            ("mbpp/mbpp.first600.jsonl", .mbpp, 600),
        ])
    func `every row of the raw collections becomes an example`(
        name: String, format: RecordFormat, count: Int
    ) throws {
        let path = try SharedData.file("data/raw/\(name)").path
        let records = try FileImport.records(path: path, format: format)
        #expect(records.count == count)
        for record in records {
            #expect(record["instruction"]?.stringValue?.isEmpty == false)
            #expect(record["output"]?.stringValue != nil)
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the raw MBPP rows give the instructions and golds of the real chains`() throws {
        let raw = try FileImport.records(
            path: SharedData.file("data/raw/mbpp/mbpp.first600.jsonl").path, format: .mbpp)
        let chains = try FileImport.chains(
            path: SharedData.file("data/selfee/augmentation/feedback_gpt_3.5_turbo_mbpp.jsonl").path
        )
        let examples = Set(
            chains.map { Example(instruction: $0.instruction, output: $0.gold).json })
        #expect(raw.count { examples.contains($0) } >= 590)
    }

    /// What CLD2 decides otherwise than the original's detector, conversation by conversation.
    ///
    /// Of the fourteen that are English here, thirteen hold a few plain English words that the other
    /// detector took for French, Danish, Albanian … ("Please continue", "keep going"), and one a
    /// program. Three are refused here: a word too short to be sure of ("Thanks!"), two words run
    /// together ("continueShare Prompt"), and an answer with verses in Tamil.
    private static let decidedOtherwise: [String: String] = [
        "03iMgaN_89": "kept", "0B7cGy5_21": "kept", "27LVvjo_7": "kept", "3IY89pA_0": "kept",
        "6dPu1r4_17": "kept", "8Fp4mlf_0": "kept", "FR8MNdx_61": "kept",
        "Frhczta_0": "output ends with ?", "HnehPAg_0": "kept", "IUnZAFp_87": "kept",
        "JTaoEJT_53": "kept", "Njv5UNF_27": "kept", "O7FYyYS_0": "kept", "Qq7mXzq_9": "kept",
        "48ssj64_17": "output not English", "JVgQvLP_79": "output not English",
        "N5pEl9x_61": "instruction not English",
    ]

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `real conversations are decided as the original decided`() throws {
        let conversations = try FileImport.records(
            path: SharedData.file("data/sharegpt/sharegpt_v3.first500.json").path, format: .chat)
        let references = try FileImport.records(
            path: SharedData.file("data/sharegpt/sharegpt_v3.first500.reference.jsonl").path,
            format: .lines)
        var others: [String: String] = [:]
        for (conversation, reference) in zip(conversations, references) {
            let found = try outcomes(
                conversation.text(), .sharegpt,
                ImportOptions(englishOnly: true, pairRule: .original))
            let expected = reference["outcome"]?.stringValue ?? ""
            let reason = reasons(found).first ?? ""
            if !Self.agrees(reason, with: expected, reference["lang"]?.arrayValue ?? []) {
                others[reference["id"]?.stringValue ?? ""] = reason
            }
        }
        #expect(references.count == 500)
        #expect(others == Self.decidedOtherwise)
    }

    private static func agrees(
        _ reason: String, with outcome: String, _ votes: [JSON]
    ) -> Bool {
        /// Whether one of the original's votes on a text was not for English.
        func isForeign(_ index: Int) -> Bool {
            votes.indices.contains(index) && votes[index].objectValue?.keys != ["en"]
        }
        return switch outcome {
        case "english": reason == "kept"
        case "english in some seeds": true
        case "english, output ends with ?": reason == "output ends with ?"
        case "exception: fewer than two messages": reason == "fewer than two messages"
        case "exception: langdetect": reason == "no text"
        default:
            // The text that is blamed must be one that was not English.
            reason == "instruction not English" && isForeign(0)
                || reason == "output not English" && isForeign(1)
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `texts of real conversations have the original's hashes`() throws {
        let conversations = try FileImport.records(
            path: SharedData.file("data/sharegpt/sharegpt_v3.first500.json").path, format: .chat)
        let references = try FileImport.records(
            path: SharedData.file("data/sharegpt/sharegpt_v3.first500.reference.jsonl").path,
            format: .lines)
        for (conversation, reference) in zip(conversations, references) {
            let hashes = reference["text_sha256"]?.arrayValue ?? []
            for (turn, hash) in zip(conversation["conversations"]?.arrayValue ?? [], hashes) {
                let text = HTMLText.text(of: turn["value"]?.stringValue ?? "")
                #expect(JSON.string(SHA256.hexadecimal(of: text)) == hash)
            }
        }
    }

    @Test func `a record is written in the form it came in, or in Python's`() throws {
        let text = #"{"question_id": 1, "text": "é"}"# + "\n" + #"{"question_id":2,"text":"é"}"#
        let written = try outcomes(text, .questions).map { outcome in
            if case .kept(let record) = outcome {
                String(decoding: record.bytes, as: UTF8.self)
            } else {
                ""
            }
        }
        #expect(
            written == [
                #"{"question_id": 1, "text": "é"}"#, #"{"question_id": 2, "text": "\u00e9"}"#,
            ])
    }
}
