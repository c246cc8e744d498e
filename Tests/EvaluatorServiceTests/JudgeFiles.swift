import Corpus
import Judging
import TestKit

/// Drills with the answers of two made-up models, as files: the second's are always right, the
/// first's right for every third question.
struct JudgeFiles {
    let folder: TemporaryFolder
    let questions: [Question]

    init(count: Int) async throws {
        folder = try TemporaryFolder()
        let common = ["drill", "--family", "sort", "--count", "\(count)", "--size", "5"]
        let texts = try await [
            Executable.run("hone-tutor", common + ["--form", "questions"]),
            Executable.run("hone-tutor", common + ["--form", "expected"]),
        ].map(\.text)
        questions = try Question.read(Array(texts[0].utf8), file: "questions")
        let expected = try Answer.read(Array(texts[1].utf8), file: "expected")
        try folder.write(texts[0], "questions.jsonl")
        try folder.write(texts[1], "expected.jsonl")
        try folder.write(Self.lines(expected) { _, text in text }, "right.jsonl")
        try folder.write(
            Self.lines(expected) { index, text in
                index % 3 == 0 ? text : String(text.reversed())
            }, "weak.jsonl")
    }

    func path(_ name: String) -> String { folder.path + "/" + name }

    /// The flags of a judgement of both orders, weak against right.
    func arguments(_ tutor: ServiceProcess, _ more: String...) -> [String] {
        [
            "judge", "-q", path("questions.jsonl"), "-a", path("weak.jsonl"), path("right.jsonl"),
            "-o", path("review.jsonl"), "--both-orders", "--model", "tutor", "--endpoint",
            "http://\(tutor.address)/v1", "--requests-per-minute", "0", "--json",
        ] + more
    }

    /// The same for another judge, one review after the other.
    func arguments(endpoint: String, model: String) -> [String] {
        [
            "judge", "-q", path("questions.jsonl"), "-a", path("weak.jsonl"), path("right.jsonl"),
            "-o", path("review.jsonl"), "--both-orders", "--model", model, "--endpoint", endpoint,
            "--requests-per-minute", "0", "--concurrency", "1", "--json",
        ]
    }

    private static func lines(_ answers: [Answer], _ text: (Int, String) -> String) -> String {
        answers.enumerated().map { index, answer in
            let row: JSON = [
                "question_id": .int(answer.questionID), "answer_id": .string("a\(index)"),
                "text": .string(text(index, answer.text)),
            ]
            return row.text(.python) + "\n"
        }.joined()
    }
}

/// What the tutor says it has done.
func statistics(of tutor: ServiceProcess) async throws -> JSON {
    let output = try await Executable.run(
        "/usr/bin/curl", ["-s", "http://\(tutor.address)/tutor/statistics"])
    return try JSON(parsing: output.text)
}
