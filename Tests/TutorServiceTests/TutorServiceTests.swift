import Corpus
import Drills
import FoundationEssentials
import Judging
import TestKit
import Testing

@Suite struct TutorServiceTests {
    private static let ask =
        #"{"model":"tutor","messages":[{"role":"user","content":"Sort: c b a d\n"}]}"#

    /// One request with curl: the status, the headers' text and the body.
    private func post(
        _ body: String, to tutor: ServiceProcess, _ options: [String] = [],
        path: String = "/v1/chat/completions"
    ) async throws -> (status: Int, head: String, body: String) {
        let output = try await Executable.run(
            "/usr/bin/curl",
            ["-s", "-i", "--max-time", "20", "-d", body] + options
                + ["http://\(tutor.address)\(path)"])
        let text = output.text.replacing("\r\n", with: "\n")
        let end = text.firstRange(of: "\n\n") ?? text.endIndex..<text.endIndex
        let head = String(text[..<end.lowerBound])
        let words = head.split(separator: " ")
        return (
            words.count > 1 ? Int(words[1]) ?? 0 : 0, head.lowercased(),
            String(text[end.upperBound...])
        )
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `replies, chunks, models and errors fit OpenAI's schema`() async throws {
        let tutor = try await ServiceProcess("hone-tutor", in: TemporaryFolder())
        let bytes = [UInt8](
            try Data(contentsOf: SharedData.file("data/openai/openapi.chat-subset.json")))
        let schema = JSONSchema(document: try JSON(parsing: bytes))
        let reply = try await post(Self.ask, to: tutor)
        #expect(reply.status == 200)
        let json = try JSON(parsing: reply.body)
        #expect(schema.fault(json, "CreateChatCompletionResponse") == nil)
        #expect(json["choices"]?[0]?["message"]?["content"]?.stringValue == "b c a d")
        let streamed = try await post(
            #"{"model":"tutor","stream":true,"stream_options":{"include_usage":true},"#
                + #""messages":[{"role":"user","content":"Add 12 + 19"}]}"#, to: tutor)
        var text = ""
        let events = streamed.body.split(separator: "\n").filter { $0.hasPrefix("data: ") }
        #expect(events.last == "data: [DONE]")
        for event in events.dropLast() {
            let chunk = try JSON(parsing: String(event.dropFirst(6)))
            #expect(schema.fault(chunk, "CreateChatCompletionStreamResponse") == nil)
            text += chunk["choices"]?[0]?["delta"]?["content"]?.stringValue ?? ""
        }
        #expect(text == "021")
        let models = try await post("", to: tutor, ["-G"], path: "/v1/models")
        #expect(schema.fault(try JSON(parsing: models.body), "ListModelsResponse") == nil)
        for body in ["{", "[]", "{}", #"{"model":"x","messages":[]}"#, #"{"model":"tutor"}"#] {
            let refusal = try await post(body, to: tutor)
            #expect((400...404).contains(refusal.status), "\(body)")
            #expect(schema.fault(try JSON(parsing: refusal.body), "ErrorResponse") == nil)
        }
        #expect(tutor.end() == 0)
    }

    @Test(arguments: [
        (#""temperature":3"#, "temperature"), (#""n":0"#, "n"), (#""stream":"yes""#, "stream"),
        (#""max_tokens":0"#, "max_tokens"), (#""stop":[1]"#, "stop"), (#""top_p":-1"#, "top_p"),
    ])
    func `a setting that cannot be is named`(setting: String, name: String) async throws {
        let tutor = try await ServiceProcess("hone-tutor", in: TemporaryFolder())
        let reply = try await post(
            Self.ask.replacing("{\"model\"", with: "{\(setting),\"model\""), to: tutor)
        #expect(reply.status == 400)
        #expect(try JSON(parsing: reply.body)["error"]?["param"]?.stringValue == name)
    }

    @Test func `failures come when asked for, in the form they have in the wild`() async throws {
        let tutor = try await ServiceProcess(
            "hone-tutor", in: TemporaryFolder(),
            ["--fail-429-every", "4", "--retry-after", "0.25", "--count-repeats"])
        var statuses: [Int] = []
        for _ in 0..<8 { statuses.append(try await post(Self.ask, to: tutor).status) }
        #expect(statuses == [200, 200, 200, 429, 200, 200, 200, 429])
        let refusal = try await post(Self.ask, to: tutor, ["-H", "x-tutor-fail: 429 7"])
        #expect(refusal.status == 429)
        #expect(refusal.head.contains("retry-after: 7"))
        #expect(try await post(Self.ask, to: tutor, ["-H", "x-tutor-fail: 500"]).status == 500)
        let cut = try await post(Self.ask, to: tutor, ["-H", "x-tutor-fail: cut"])
        #expect(throws: JSONError.self) { try JSON(parsing: cut.body) }
        for text in ["503", "429 x", "slow -1", "cut 1 2"] {
            let refused = try await post(Self.ask, to: tutor, ["-H", "x-tutor-fail: \(text)"])
            #expect(refused.status == 400)
            #expect(
                try JSON(parsing: refused.body)["error"]?["param"]?.stringValue == "x-tutor-fail")
        }
        let began = ContinuousClock.now
        _ = try await post(Self.ask, to: tutor, ["-H", "x-tutor-fail: slow 300"])
        #expect(ContinuousClock.now - began >= .milliseconds(300))
        let counts = try JSON(
            parsing: await post("", to: tutor, ["-G"], path: "/tutor/statistics").body)
        #expect(counts["requests"]?.intValue == 12)
        #expect(counts["replies"]?.intValue == 7)
        #expect(counts["repeats"]?.intValue == 6)
        #expect(counts["failures"]?["429"]?.intValue == 3)
    }

    @Test(.enabled(if: OpenAIPackage.isThere, "\(OpenAIPackage.reason)"))
    func `the real openai package is served`() async throws {
        let tutor = try await ServiceProcess("hone-tutor", in: TemporaryFolder())
        let script = SharedData.repository.appending(path: "Tests/Scripts/openai_tutor.py").path
        let output = try await Executable.run(OpenAIPackage.python, [script, tutor.address])
        #expect(output.status == 0, "\(output.errors)")
        let seen = try JSON(parsing: output.text)
        #expect(seen["models"]?[0]?.stringValue == "tutor")
        #expect(seen["text"]?.stringValue == "b c a d")
        #expect(seen["streamed"]?.stringValue == "b c a d")
        #expect(seen["pieces"]?.intValue == 4)
        #expect(seen["total"] == seen["sum"])
        #expect(seen["streamUsage"] == seen["total"])
        #expect(seen["finish"]?.stringValue == "stop")
        #expect(seen["streamFinish"]?.stringValue == "stop")
        #expect(seen["length"]?.stringValue == "length")
        #expect(seen["unknownModel"] == ["NotFoundError", 404, "model_not_found"])
        #expect(seen["noMessages"]?[0]?.stringValue == "BadRequestError")
        #expect(seen["tooMany"] == ["RateLimitError", 429, "rate_limit_exceeded"])
        #expect(seen["server"]?[0]?.stringValue == "InternalServerError")
        #expect(seen["cut"]?[0]?.stringValue == "APIConnectionError")
        #expect(seen["slow"]?[0]?.stringValue == "APITimeoutError")
        #expect(seen["cutStream"]?[0]?.stringValue != "none")
    }

    @Test func `drill prints one list in every form`() async throws {
        func drill(_ arguments: String...) async throws -> Executable.Output {
            try await Executable.run("hone-tutor", ["drill"] + arguments)
        }
        let common = ["--family", "both", "--count", "6", "--seed", "3", "--size", "5"]
        let texts = try await [
            Executable.run("hone-tutor", ["drill"] + common + ["--form", "alpaca"]),
            Executable.run("hone-tutor", ["drill"] + common + ["--form", "questions"]),
            Executable.run("hone-tutor", ["drill"] + common + ["--form", "expected"]),
        ].map(\.text)
        let alpaca = try JSON(parsing: texts[0])
        let questions = try Question.read(Array(texts[1].utf8), file: "questions")
        let expected = try Answer.read(Array(texts[2].utf8), file: "expected")
        #expect(questions.count == 6 && expected.count == 6)
        for (index, question) in questions.enumerated() {
            let drill = try #require(Drill(recognizing: question.text))
            #expect(alpaca[index]?["instruction"]?.stringValue == question.text)
            #expect(drill.isCorrect(expected[index].text))
            #expect(question.category == drill.family.rawValue)
        }
        let folder = try TemporaryFolder()
        let file = try folder.write(texts[0], "train.json")
        let other = try await drill(
            "--family", "both", "--count", "6", "--seed", "3", "--size", "5", "--form",
            "questions", "--exclude", file)
        let others = try Question.read(Array(other.text.utf8), file: "others").map(\.text)
        #expect(Set(others).isDisjoint(with: questions.map(\.text)))
        #expect(try await drill("--size", "99").status == 1)
        #expect(try await drill("--family", "cube").status == 64)
    }
}

/// Python with the openai package, where the machine has it.
enum OpenAIPackage {
    static let python =
        (ProcessInfo.processInfo.environment["HONE_VENV"] ?? "/var/tmp/hone-venv") + "/bin/python"
    static let isThere = FileManager.default.isExecutableFile(atPath: python)
    static let reason = "no Python with the openai package is there (HONE_VENV)"
}
