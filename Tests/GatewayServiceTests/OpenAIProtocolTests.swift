import Corpus
import Foundation
import GatewayService
import Schema
import Synchronization
import TestKit
import Testing
import Wire

@Suite struct `The gateway keeps to OpenAI's protocol` {
    private func question(_ text: String, _ more: JSON = .object(JSONObject())) -> JSON {
        var body: JSON = [
            "model": "hone", "messages": [["role": "user", "content": .string(text)]],
        ]
        for member in more.objectValue ?? JSONObject() { body[member.key] = member.value }
        return body
    }

    /// The chunks of a streamed answer.
    private func chunks(_ url: String, _ body: JSON) async throws -> [JSON] {
        let (_, text) = try await Program.curl(
            url + "/v1/chat/completions", "-H", "Content-Type: application/json", "-d",
            body.text())
        return try text.split(separator: "\n").filter { $0.hasPrefix("data: {") }
            .map { try JSON(parsing: String($0.dropFirst(6))) }
    }

    private static let chunkFields: Set<String> = [
        "id", "object", "created", "model", "choices", "usage", "revision",
    ]

    @Test func `every object has the fields of OpenAI's, and one of ours`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let (_, whole) = try await Program.post(url + "/v1/chat/completions", question("Q"))
            let names = whole.objectValue?.keys ?? []
            #expect(Set(names) == Self.chunkFields)
            let chunks = try await chunks(
                url, question("Q", ["stream": true, "stream_options": ["include_usage": true]]))
            for chunk in chunks {
                let names = chunk.objectValue?.keys ?? []
                #expect(Self.chunkFields.isSuperset(of: names))
            }
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `replies, chunks, models and errors fit OpenAI's schema`() async throws {
        let bytes = [UInt8](
            try Data(contentsOf: SharedData.file("data/openai/openapi.chat-subset.json")))
        let schema = JSONSchema(document: try JSON(parsing: bytes))
        try await withGatewayHTTP(ScriptedInference()) { url in
            let path = url + "/v1/chat/completions"
            for mode: JSON in [
                ["mode": "off"], ["mode": "enforced", "minimum": 2], ["maximum": 3],
            ] {
                let (status, whole) = try await Program.post(
                    path, question("Q", ["revision": mode]))
                #expect(status == 200)
                #expect(schema.fault(whole, "CreateChatCompletionResponse") == nil)
                let body = question(
                    "Q",
                    ["revision": mode, "stream": true, "stream_options": ["include_usage": true]])
                for chunk in try await chunks(url, body) {
                    #expect(schema.fault(chunk, "CreateChatCompletionStreamResponse") == nil)
                }
            }
            let (_, models) = try await Program.curl(url + "/v1/models")
            #expect(schema.fault(try JSON(parsing: models), "ListModelsResponse") == nil)
            let (_, model) = try await Program.curl(url + "/v1/models/scripted")
            #expect(schema.fault(try JSON(parsing: model), "Model") == nil)
            for text in ["{", "[]", "{}", question("fail").text(), question("full").text()] {
                let (status, error) = try await Program.curl(path, "-d", text)
                #expect((400...429).contains(status), "\(text)")
                #expect(schema.fault(try JSON(parsing: error), "ErrorResponse") == nil)
            }
        }
    }

    @Test(arguments: [
        ("fail", 400, "context_length_exceeded"), ("full", 429, "rate_limit_exceeded"),
        ("nothing", 503, "unavailable"),
    ])
    func `what fails before the answer begins is told by the status`(
        text: String, status: Int, code: String
    ) async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            for isStreaming in [false, true] {
                let (found, error) = try await Program.post(
                    url + "/v1/chat/completions",
                    question(text, ["stream": .bool(isStreaming)]))
                #expect(found == status)
                #expect(error["error"]?["code"]?.stringValue == code)
            }
        }
    }

    @Test func `an answer that breaks off is never told as whole`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let (status, error) = try await Program.post(
                url + "/v1/chat/completions", question("break"))
            #expect(status == 503 && error["error"]?["code"] == "unavailable")
            let last = try await chunks(url, question("break", ["stream": true])).last
            #expect(last?["error"]?["code"] == "unavailable")
        }
    }

    @Test func `an answer in one piece begins anew where its replica is lost`() async throws {
        let script = ScriptedInference()
        try await withGatewayHTTP(script) { url in
            let (status, whole) = try await Program.post(
                url + "/v1/chat/completions", question("lost", ["revision": ["mode": "off"]]))
            #expect(status == 200)
            let text = whole["choices"]?[0]?["message"]?["content"]?.stringValue
            #expect(text == "draft 0 of <b>lost</b>")
        }
        #expect(script.requests.withLock { $0.count } == 2)
    }

    @Test func `no revision allowed means none is asked for`() async throws {
        let script = ScriptedInference()
        try await withGatewayHTTP(script) { url in
            let body = question("Q", ["revision": ["mode": "autonomous", "maximum": 0]])
            let (_, whole) = try await Program.post(url + "/v1/chat/completions", body)
            var streaming = body
            streaming["stream"] = true
            let text = try await chunks(url, streaming)
                .compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }.joined()
            #expect(whole["choices"]?[0]?["message"]?["content"]?.stringValue == text)
        }
        #expect(script.requests.withLock { $0.map(\.policy.mode) } == [.off, .off])
    }

    @Test func `one connection serves one request after the other`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let request = ["-s", "-o", "/dev/null", "-w", "%{num_connects} %{http_code}\n"]
            let bodies = [question("Q"), question("Q", ["stream": true]), question("Q")]
            let arguments = bodies.map { body in
                request + ["-d", body.text(), url + "/v1/chat/completions"]
            }.joined(separator: ["--next"])
            let ended = try await Program.run("/usr/bin/curl", Array(arguments))
            #expect(ended.output == "1 200\n0 200\n0 200\n", "\(ended.errors)")
        }
    }

    @Test func `a path asked for in the wrong way says which way is right`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let (status, text) = try await Program.curl(url + "/v1/chat/completions", "-i")
            #expect(status == 405)
            #expect(text.lowercased().contains("\r\nallow: post\r\n"))
            let (posted, _) = try await Program.curl(url + "/v1/models", "-d", "{}")
            #expect(posted == 405)
            #expect(try await Program.curl(url + "/healthz", "-I").0 == 200)
        }
    }

    @Test func `a system message may come late, and hints are passed over`() throws {
        let chat = try ChatRequest(
            JSON(
                parsing: """
                    {"model":"default","reasoning_effort":"low","verbosity":"high","messages":[
                     {"role":"user","content":"a"},{"role":"assistant","content":"b"},
                     {"role":"system","content":"s"},{"role":"user","content":"c"}]}
                    """), usual: RevisionPolicy())
        #expect(chat.generate.model == "")
        #expect(chat.generate.messages.map(\.content) == ["s", "a", "b", "c"])
    }
}
