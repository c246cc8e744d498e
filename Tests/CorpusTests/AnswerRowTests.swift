import Corpus
import FoundationEssentials
import TestKit
import Testing

struct AnswerRowTests {
    @Test func `a row is written as the original writes it`() throws {
        var row = AnswerRow(
            questionID: 7, text: "Zürich – “ok”\n", wholeGeneration: "q\tZürich", answerID: "a1",
            modelID: "m")
        let line =
            #"{"question_id": 7, "text": "Zürich – “ok”\n", "whole_generation": "q\tZürich", "#
            + #""answer_id": "a1", "model_id": "m", "metadata": {}"#
        #expect(String(decoding: row.line(), as: UTF8.self) == line + "}\n")
        row.metadata["revisions"] = 2
        row.others["drafts"] = ["x"]
        let text = String(decoding: row.line(), as: UTF8.self)
        #expect(
            text == line.dropLast(2) + #"{"revisions": 2}, "drafts": ["x"]}"# + "\n")
        #expect(AnswerRow(try JSON(parsing: text)) == row)
        #expect(AnswerRow(["question_id": 1]) == nil)
    }

    @Test(
        .enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)),
        arguments: [
            "selfee_13b_enforce_0_revisions", "selfee_13b_enforce_1_revisions",
            "selfee_7b_enforce_3_revisions",
        ])
    func `the released rows are written byte for byte`(name: String) throws {
        let path = try SharedData.file("data/selfee/answer/\(name).jsonl").path
        let lines = try FileReader.bytes(of: path).split(separator: 0x0A)
        #expect(lines.count == 80)
        for line in lines {
            let row = try #require(AnswerRow(try JSON(parsing: Array(line))))
            #expect(row.line().dropLast().elementsEqual(line))
        }
    }
}
