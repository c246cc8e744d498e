import Corpus
import Foundation
import GatewayService
import ServiceKit
import TestKit
import Testing

@Suite struct `The gateway over HTTP` {
    private func question(_ text: String, _ more: JSON = .object(JSONObject())) -> JSON {
        var body: JSON = [
            "model": "hone", "messages": [["role": "user", "content": .string(text)]],
        ]
        for member in more.objectValue ?? JSONObject() { body[member.key] = member.value }
        return body
    }

    @Test func `answers with the final draft and tells the revisions beside it`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let (status, reply) = try await Program.post(
                url + "/v1/chat/completions",
                question("Q", ["revision": ["mode": "enforced", "minimum": 2]]))
            #expect(status == 200)
            #expect(reply["object"] == "chat.completion")
            #expect(reply["model"] == "scripted")
            let choice = reply["choices"]?[0]
            #expect(choice?["message"]?["content"] == "draft 2 of Q")
            #expect(choice?["finish_reason"] == "stop")
            #expect(reply["usage"]?["prompt_tokens"] == 5)
            #expect(reply["usage"]?["total_tokens"] == 18)
            let revision = reply["revision"]
            #expect(revision?["answer"] == "draft 0 of <b>Q</b>")
            #expect(revision?["revisions"]?.arrayValue?.count == 2)
            #expect(revision?["revisions"]?[1]?["text"] == "draft 2 of Q")
            #expect(revision?["revisions"]?[0]?["verdict"]?["forced"] == true)
            #expect(revision?["usage"]?["revision_tokens"] == 6)
            #expect(revision?["stop_reason"] == "stop")
        }
    }

    @Test func `streams typed revision events, and content once it is final`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let body = question(
                "Q", ["stream": true, "stream_options": ["include_usage": true]])
            let (status, text) = try await Program.curl(
                url + "/v1/chat/completions", "-H", "Content-Type: application/json", "-d",
                body.text())
            #expect(status == 200)
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("data: ") }
            #expect(lines.last == "data: [DONE]")
            let chunks = try lines.dropLast().map { try JSON(parsing: String($0.dropFirst(6))) }
            let contents = chunks.compactMap {
                $0["choices"]?[0]?["delta"]?["content"]?.stringValue
            }
            #expect(contents.joined() == "draft 1 of Q")
            let events = chunks.compactMap { $0["revision"]?["event"]?.stringValue }
            #expect(events.first == "segment_started" && events.last == "finished")
            #expect(events.filter { $0 == "verdict" }.count == 2)
            #expect(chunks.last?["choices"] == .array([]))
            #expect(chunks.last?["usage"]?["completion_tokens"] == 9)
            #expect(Set(chunks.compactMap { $0["id"]?.stringValue }).count == 1)
        }
    }

    @Test func `without revisions content streams as it comes`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let body = question("Q", ["stream": true, "revision": ["mode": "off"]])
            let (_, text) = try await Program.curl(
                url + "/v1/chat/completions", "-H", "Content-Type: application/json", "-d",
                body.text())
            let contents = try text.split(separator: "\n")
                .filter { $0.hasPrefix("data: {") }
                .map { try JSON(parsing: String($0.dropFirst(6))) }
                .compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }
            #expect(contents == ["", "draft ", "0 of ", "<b>Q</b>"])
        }
    }

    @Test(arguments: [false, true])
    func `a caller who goes away ends the work`(isStreaming: Bool) async throws {
        let script = ScriptedInference()
        try await withGatewayHTTP(script) { url in
            let body = question("wait", ["stream": .bool(isStreaming)])
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await Program.curl(
                        url + "/v1/chat/completions", "-H", "Content-Type: application/json",
                        "-d", body.text())
                }
                await script.started.wait()
                group.cancelAll()
            }
            await script.cancelled.wait()
        }
    }

    @Test func `refuses in OpenAI's words`() async throws {
        try await withGatewayHTTP(ScriptedInference(), keys: APIKeys(["sk-right-right"])) { url in
            let key = "Authorization: Bearer sk-right-right"
            let path = url + "/v1/chat/completions"
            let (closed, _) = try await Program.post(path, question("Q"))
            #expect(closed == 401)
            let (missing, model) = try await Program.post(
                path, question("Q", ["model": "gpt-x"]), "-H", key)
            #expect(missing == 404 && model["error"]?["code"] == "model_not_found")
            let (unknown, field) = try await Program.post(
                path, question("Q", ["wibble": 1]), "-H", key)
            #expect(unknown == 400 && field["error"]?["param"] == "wibble")
            let (long, context) = try await Program.post(path, question("fail"), "-H", key)
            #expect(long == 400 && context["error"]?["code"] == "context_length_exceeded")
            let (lost, _) = try await Program.curl(url + "/v1/nothing")
            #expect(lost == 404)
            let (torn, _) = try await Program.curl(path, "-H", key, "-d", "{")
            #expect(torn == 400)
        }
    }

    @Test func `carries the trace of its callers, and begins one where they have none`()
        async throws
    {
        try await withGatewayHTTP(ScriptedInference()) { url in
            let trace = "0af7651916cd43dd8448eb211c80319c"
            let (_, told) = try await Program.curl(
                url + "/healthz", "-i", "-H", "traceparent: 00-\(trace)-b7ad6b7169203331-01")
            #expect(told.lowercased().contains("traceparent: 00-\(trace)-"))
            #expect(!told.contains("b7ad6b7169203331"))
            #expect(told.lowercased().contains("x-request-id: \(trace)"))
            let (_, broken) = try await Program.curl(
                url + "/healthz", "-i", "-H", "traceparent: 00-\(trace)-0-01")
            #expect(broken.lowercased().contains("traceparent: 00-"))
            #expect(!broken.contains(trace))
        }
    }

    @Test func `tells its health, its metrics, its models and its page`() async throws {
        try await withGatewayHTTP(ScriptedInference()) { url in
            #expect(try await Program.curl(url + "/healthz") == (200, "ok\n"))
            let (status, ready) = try await Program.curl(url + "/readyz")
            #expect(status == 200 && ready.contains("scripted"))
            _ = try await Program.post(url + "/v1/chat/completions", question("Q"))
            let (_, metrics) = try await Program.curl(url + "/metrics")
            #expect(metrics.contains("hone_answers_total{reason=\"stop\",service=\"gateway\"} 1"))
            #expect(
                metrics.contains("hone_tokens_total{segment=\"revision\",service=\"gateway\"} 3"))
            #expect(metrics.contains("hone_inference_ready{replica=\"127.0.0.1:"))
            #expect(metrics.contains("hone_service_up{service=\"inference\",instance=\"127.0.0.1:"))
            let (_, models) = try await Program.curl(url + "/v1/models")
            #expect(try JSON(parsing: models)["data"]?[0]?["id"] == "scripted")
            #expect(try await Program.curl(url + "/v1/models/scripted").0 == 200)
            #expect(try await Program.curl(url + "/v1/models/other").0 == 404)
            let (_, page) = try await Program.curl(url + "/", "-i")
            #expect(page.contains("<title>Hone</title>"))
            #expect(page.lowercased().contains("content-security-policy: default-src 'none'"))
            #expect(try await Program.curl(url + "/page.js").0 == 200)
            #expect(try await Program.curl(url + "/page.css").0 == 200)
        }
    }

    @Test(.enabled(if: Program.exists(Program.python), "the Python packages are not installed"))
    func `serves the openai package of Python`() async throws {
        try await withGatewayHTTP(ScriptedInference(), keys: APIKeys(["sk-test"])) { url in
            let script = SharedData.repository
                .appending(path: "Tests/Scripts/openai_gateway.py").path
            let ended = try await Program.run(Program.python, [script, url + "/v1"])
            #expect(ended.code == 0, "\(ended.output)\n\(ended.errors)")
            #expect(ended.output.contains("all passed"))
        }
    }
}
