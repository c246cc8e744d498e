import FoundationEssentials
import Schema
import Testing
import Wire

/// JSON to bytes and back, by the schema's text alone.
struct TranscoderTests {
    let schema: SchemaText
    private var transcoder: Transcoder { Transcoder(schema) }

    init() throws {
        schema = try SchemaText.repository()
    }

    @Test(arguments: 0..<8)
    func `bytes of any message become JSON and the same bytes again`(seed: Int) throws {
        for style in [ValueGenerator.Style.full, .extreme] {
            let generator = ValueGenerator(schema: schema, style: style)
            for name in schema.messages.keys.sorted() {
                let bytes = generator.message(name, seed: UInt64(seed)).canonicalBytes
                let text = try transcoder.json(of: bytes, as: name)
                let again = try transcoder.bytes(ofJSON: text, as: name)
                #expect(again == bytes, "\(name): \(text.prefix(400))")
            }
        }
    }

    private func bytes(_ json: String, _ name: String) throws -> [UInt8] {
        try transcoder.bytes(ofJSON: json, as: name)
    }

    private func expect(_ json: String, _ message: some WireMessage) throws {
        let coded = try bytes(json, type(of: message).wireName)
        #expect(coded == message.encoded(), "\(json)")
    }

    private func expectMerge() throws {
        var input = MergeInput()
        input.dataset.name = "pets"
        input.label = "ä"
        var merge = MergeRequest()
        merge.inputs = [input]
        try expect(#"{"inputs": [{"dataset": {"name": "pets"}, "label": "ä"}]}"#, merge)
    }

    private func expectOthers() throws {
        var chunk = ArtifactChunk()
        chunk.data = [1, 2, 255]
        try expect(#"{"data": "AQL/"}"#, chunk)
        var query = JobQuery()
        try expect("{}", query)
        try expect(#"{"status": null}"#, query)
        query.status = .running
        try expect(#"{"status": "running"}"#, query)
        try expect(#"{"status": 2}"#, query)
        var workflow = WorkflowRequest()
        workflow.parameters = ["b": "", "a": "1"]
        try expect(#"{"parameters": {"b": "", "a": "1"}}"#, workflow)
    }

    @Test func `every typed message has a text that stands for it`() throws {
        try expectMerge()
        try expectOthers()
    }

    @Test func `an enumeration is written by its name`() throws {
        let query = JobQuery.with { $0.status = .running }
        let json = try transcoder.json(of: query.encoded(), as: JobQuery.wireName)
        #expect(json == #"{"status":"running"}"#)
    }

    @Test func `what is wrong is told with its place`() throws {
        for (json, name, path) in [
            (
                #"{"inputs": [{"dataset": {"name": 5}}]}"#, "MergeRequest",
                "$.inputs[0].dataset.name"
            ),
            (#"{"inputs": {}}"#, "MergeRequest", "$.inputs"),
            (#"{"inputs": [3]}"#, "MergeRequest", "$.inputs[0]"),
            (#"{"nothing": 1}"#, "MergeRequest", "$"),
            (#"[]"#, "MergeRequest", "$"),
            (#"{"bytes": -1}"#, "Artifact", "$.bytes"),
            (#"{"bytes": 1.5}"#, "Artifact", "$.bytes"),
            (#"{"bytes": "12x"}"#, "Artifact", "$.bytes"),
        ] {
            let package = name == "Artifact" ? "hone.common" : "hone.data"
            let error = #expect(throws: TranscodingError.self, "\(json)") {
                try bytes(json, "\(package).\(name)")
            }
            #expect(error?.path == path, "\(json): \(error.map { "\($0)" } ?? "")")
        }
        let unknown = #expect(throws: TranscodingError.self) {
            try bytes(#"{"status": "walking"}"#, JobQuery.wireName)
        }
        #expect(unknown?.reason.contains("running") == true)
        let field = #expect(throws: TranscodingError.self) {
            try bytes(#"{"nam": "x"}"#, DatasetReference.wireName)
        }
        #expect(field?.reason.contains("name") == true)
        #expect(throws: TranscodingError.self) { try bytes("{", JobQuery.wireName) }
        #expect(throws: WireError.self) { try transcoder.json(of: [1, 9], as: JobQuery.wireName) }
    }

    @Test func `numbers keep all their digits`() throws {
        let largest = "9223372036854775807"
        let coded = try bytes("{\"bytes\": \(largest)}", Artifact.wireName)
        #expect(try bytes("{\"bytes\": \"\(largest)\"}", Artifact.wireName) == coded)
        #expect(
            try transcoder.json(of: coded, as: Artifact.wireName) == "{\"bytes\":\(largest)}")
    }

    private func numbers(_ json: String) throws -> (bytes: [UInt8], json: String) {
        let text = "schema test\nmessage Numbers {\n    1: f32 single\n    2: f64 double\n}\n"
        let numbers = Transcoder(try SchemaText(parsing: [("test", text)]))
        let bytes = try numbers.bytes(ofJSON: json, as: "test.Numbers")
        return (bytes, try numbers.json(of: bytes, as: "test.Numbers"))
    }

    @Test(arguments: ["-0.0", "1e-45", "3.4028235e+38", "-1.0", "0.1", "16777216.0"])
    func `numbers keep their sign and all their digits`(number: String) throws {
        let json = "{\"single\":\(number),\"double\":\(number)}"
        #expect(try numbers(json).json == json)
    }

    @Test func `what 32 bits cannot hold is refused, and not made infinite`() throws {
        let error = #expect(throws: TranscodingError.self) { try numbers(#"{"single": 1e39}"#) }
        #expect(error?.path == "$.single")
        #expect(try numbers(#"{"single":"-Infinity"}"#).json == #"{"single":"-Infinity"}"#)
    }

    @Test(arguments: [
        (#"{"labels": [1, {"a": [2, 1e400]}]}"#, "$.labels[1].a[1]"), ("1e400", "$"),
        (#"{"f": "\ud800"}"#, "$.f"), ("[01]", "$[0]"), ("[", "$"), ("", "$"),
    ])
    func `what is no JSON is told with its place`(json: String, path: String) throws {
        let error = #expect(throws: TranscodingError.self) {
            try bytes(json, MergeRequest.wireName)
        }
        #expect(error?.path == path)
    }

    @Test func `JSON that is nested without end is refused`() throws {
        for count in [300, 100_000] {
            let nested = String(repeating: "[", count: count)
            #expect(throws: TranscodingError.self) {
                try bytes(nested + "]", MergeRequest.wireName)
            }
        }
    }

    @Test func `of a key that comes twice the last value is written, once`() throws {
        func pair(_ key: UInt8, _ value: UInt8) -> [UInt8] {
            [3, 6, 1, 1, key, 2, 1, value]
        }
        let coded = pair(0x61, 0x31) + pair(0x62, 0x32) + pair(0x61, 0x33)
        let message = try WorkflowRequest(decoding: coded)
        #expect(message.parameters == ["a": "3", "b": "2"])
        let text = try transcoder.json(of: coded, as: WorkflowRequest.wireName)
        #expect(text == #"{"parameters":{"a":"3","b":"2"}}"#)
        #expect(try bytes(text, WorkflowRequest.wireName) == message.encoded())
    }

    @Test func `services, calls, messages and enumerations are found by name`() throws {
        #expect(schema.describe("hone.Data")?.contains("call Export(") == true)
        let call = try #require(schema.describe("hone.Data/Merge"))
        #expect(call.contains("call Merge(MergeRequest) returns DatasetVersion idempotent"))
        #expect(call.contains("message MergeRequest {"))
        #expect(call.contains("message DatasetVersion {"))
        #expect(call.contains("/// Joins datasets"))
        #expect(schema.describe("hone.jobs.JobStatus")?.contains("enum JobStatus {") == true)
        #expect(schema.describe("JobStatus") == schema.describe("hone.jobs.JobStatus"))
        #expect(schema.describe("Nothing") == nil)
    }
}
