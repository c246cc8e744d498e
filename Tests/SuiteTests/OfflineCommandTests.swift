import Foundation
import TestKit
import Testing

/// `hone augment` and `hone evaluate`: they run the executables beside `hone`.
@Suite(.enabled(if: Executable.path(of: "hone") != nil, "hone was not built beside the tests"))
struct OfflineCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func hone(_ arguments: [String]) async throws -> Executable.Output {
        try await Executable.run("hone", arguments)
    }

    private func object(_ output: Executable.Output) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(output.text.utf8))
        return try #require(value as? [String: Any], "\(output.text) \(output.errors)")
    }

    private func drills(_ form: String) async throws -> String {
        try await Executable.run(
            "hone-tutor",
            ["drill", "--family", "sort", "--count", "6", "--size", "5", "--form", form]
        ).text
    }

    @Test func `hone augment makes chains`() async throws {
        let tutor = try await ServiceProcess("hone-tutor", in: folder)
        let arguments = [
            "augment", "--input-path", try folder.write(await drills("alpaca"), "tasks.json"),
            "--output-path", folder.path + "/chains.jsonl", "--fail-path", folder.path + "/failed",
            "--procedure", "alpaca", "--endpoint", "http://\(tutor.address)", "--model", "tutor",
            "--requests-per-minute", "0", "--json",
        ]
        let output = try await hone(arguments)
        #expect(output.status == 0, "\(output.errors)")
        let summary = try object(output)
        #expect(summary["made"] as? Int == 6)
        #expect(try folder.text("chains.jsonl").split(separator: "\n").count == 6)
        let again = try object(await hone(arguments))
        #expect(again["found"] as? Int == 6)
        #expect(try await hone(["augment"]).status == 64)
        let help = try await hone(["augment", "--help"])
        #expect(help.status == 0 && help.text.contains("hone augment --input-path"))
    }

    @Test func `hone evaluate judges, and counts reviews that are there`() async throws {
        let tutor = try await ServiceProcess("hone-tutor", in: folder)
        let questions = try folder.write(await drills("questions"), "questions.jsonl")
        let expected = try folder.write(await drills("expected"), "expected.jsonl")
        let output = try await hone([
            "evaluate", "-q", questions, "-a", expected, expected, "-o", folder.path + "/reviews",
            folder.path + "/swapped", "--both-orders", "--model", "tutor", "--endpoint",
            "http://\(tutor.address)", "--requests-per-minute", "0", "--json",
        ])
        #expect(output.status == 0, "\(output.errors)")
        let report = try #require(try object(output)["report"] as? [String: Any])
        #expect(report["tie"] as? Int == 12)
        let counted = try await hone([
            "evaluate", "aggregate", "--model-first", folder.path + "/reviews", "--opponent-first",
            folder.path + "/swapped", "--json",
        ])
        #expect(counted.status == 0, "\(counted.errors)")
        let counts = try object(counted)
        #expect(counts["pooled"] as? Double == 100)
        #expect((counts["categories"] as? [String: Any])?.isEmpty == true)
        #expect(try await hone(["evaluate", "-q", questions]).status == 64)
        let missing = try await hone([
            "evaluate", "aggregate", "--model-first", folder.path + "/none", "--json",
        ])
        #expect(missing.status == 1 && missing.errors.contains("none"))
    }

    @Test func `reviews of the original's eighty questions are counted by its categories`()
        async throws
    {
        func rows(_ first: Int, _ second: Int) -> String {
            (1...80).map { id in
                #"{"review_id": "r\#(id)", "question_id": \#(id), "reviewer_id": 1, "#
                    + #""metadata": {}, "text": "x", "score": [\#(first), \#(second)]}"#
            }.joined(separator: "\n")
        }
        let output = try await hone([
            "evaluate", "aggregate", "--model-first", try folder.write(rows(9, 6), "one"),
            "--opponent-first", try folder.write(rows(6, 9), "two"), "--json",
        ])
        let report = try object(output)
        #expect(report["pooled"] as? Double == 150)
        let categories = try #require(report["categories"] as? [String: Double])
        #expect(categories.count == 9)
        #expect(categories["coding"] == 150 && categories["math"] == 150)
    }
}
