import Corpus
import GatewayService
import Schema
import Testing
import Wire

@Suite struct `A chat request` {
    private let usual = RevisionPolicy.with {
        $0.mode = .autonomous
        $0.maximum = 3
    }

    private func read(_ text: String) throws -> ChatRequest {
        try ChatRequest(JSON(parsing: text), usual: usual)
    }

    @Test func `is translated for inference`() throws {
        let chat = try read(
            """
            {"model":"hone","messages":[{"role":"developer","content":"Be brief."},
             {"role":"user","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}],
             "temperature":0.5,"top_p":0.9,"max_completion_tokens":7,"stop":["x","y"],"seed":-1,
             "stream":true,"stream_options":{"include_usage":true},"user":"u","n":1,"tools":[],
             "response_format":{"type":"text"},"logit_bias":null,
             "revision":{"mode":"enforced","minimum":2,"stop_on_fixpoint":true}}
            """)
        #expect(chat.isStreaming && chat.includesUsage)
        #expect(chat.generate.model == "")
        #expect(chat.generate.messages.map(\.role) == ["system", "user"])
        #expect(chat.generate.messages.map(\.content) == ["Be brief.", "Hello"])
        #expect(chat.generate.sampling.temperature == 0.5)
        #expect(chat.generate.sampling.topP == 0.9)
        #expect(chat.generate.policy.maximumTokens == 7)
        #expect(chat.generate.sampling.maximumTokens == 0)
        #expect(chat.generate.sampling.stop == ["x", "y"])
        #expect(chat.generate.sampling.seed != nil)
        #expect(chat.generate.policy.mode == .enforced)
        #expect(chat.generate.policy.minimum == 2)
        #expect(chat.generate.policy.maximum == 3)
        #expect(chat.generate.policy.stopOnFixpoint)
    }

    @Test func `without a revision object follows the server's policy`() throws {
        let chat = try read(#"{"model":"m","messages":[{"role":"user","content":"?"}]}"#)
        #expect(chat.generate.policy == usual)
        #expect(chat.generate.sampling.temperature == 1)
        #expect(chat.generate.model == "m")
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, "model"),
        (#"{"model":"m"}"#, "messages"),
        (#"{"model":"m","messages":[]}"#, "messages"),
        (#"{"model":"m","messages":[{"role":"robot","content":""}]}"#, "messages[0].role"),
        (#"{"model":"m","messages":[{"role":"user","content":3}]}"#, "messages[0].content"),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0]"
        ),
        (#"{"model":"m","messages":[{"role":"user","content":""}],"wibble":1}"#, "wibble"),
        (#"{"model":"m","messages":[{"role":"user","content":""}],"n":2}"#, "n"),
        (#"{"model":"m","messages":[{"role":"user","content":""}],"logprobs":true}"#, "logprobs"),
        (#"{"model":"m","messages":[{"role":"user","content":""}],"tools":[{}]}"#, "tools"),
        (
            #"{"model":"m","messages":[{"role":"user","content":""}],"temperature":3}"#,
            "temperature"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":""}],"max_tokens":"9"}"#,
            "max_tokens"
        ),
        (#"{"model":"m","messages":[{"role":"user","content":""}],"stop":[1]}"#, "stop"),
        (
            #"{"model":"m","messages":[{"role":"user","content":""}],"stream_options":{}}"#,
            "stream_options"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":""}],"revision":{"mode":"maybe"}}"#,
            "revision.mode"
        ),
        (
            """
            {"model":"m","messages":[{"role":"user","content":""}],
             "revision":{"minimum":3,"maximum":1}}
            """, "revision.maximum"
        ),
        (
            #"{"model":"m","messages":[{"role":"user","content":""}],"revision":{"often":1}}"#,
            "revision.often"
        ),
    ])
    func `names the parameter that is wrong`(body: String, parameter: String) throws {
        let error = try #require(throws: OpenAIError.self) { try read(body) }
        #expect(error.status == 400)
        #expect(error.parameter == parameter)
        #expect(error.body["error"]?["message"]?.stringValue == error.message)
    }

    @Test func `opens only with a key, where keys are set`() throws {
        let keys = APIKeys(["sk-abcdefghijkl"])
        try keys.check("Bearer sk-abcdefghijkl")
        try APIKeys.none.check(nil)
        let missing = try #require(throws: OpenAIError.self) { try keys.check(nil) }
        #expect(missing.status == 401)
        let wrong = try #require(throws: OpenAIError.self) {
            try keys.check("Bearer sk-secretsecretsecret")
        }
        #expect(wrong.code == "invalid_api_key")
        #expect(!wrong.message.contains("secretsecret"))
    }
}
