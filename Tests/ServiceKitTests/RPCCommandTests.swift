import FoundationEssentials
import RPC
import Schema
import ServiceKit
import TestKit
import Testing
import Wire

/// `hone rpc` and `hone metrics` against servers of this process.
@Suite(
    .enabled(if: Executable.path(of: "hone") != nil, "hone was not built"),
    .timeLimit(.minutes(5)))
struct RPCCommandTests {
    /// A gateway of few words.
    struct Handler: GatewayAPI.Handler {
        func runWorkflow(
            _ request: WorkflowRequest, _ context: CallContext
        ) async throws -> JobState {
            guard !request.key.isEmpty else {
                throw Status.invalid(
                    "the request has no key", domain: "hone.Gateway",
                    [FieldViolation("key", "is not empty")])
            }
            return JobState.with {
                $0.id = request.key
                $0.message = context.metadata["x-who"] ?? "nobody"
                $0.status = .running
            }
        }

        func watchWorkflow(
            _ request: WatchRequest, _ responses: ResponseWriter<JobEvent>, _ context: CallContext
        ) async throws {
            for sequence in 1...3 {
                try await responses.write(JobEvent.with { $0.sequence = sequence })
            }
        }

        func get(_ request: JobReference, _ context: CallContext) async throws -> JobState {
            throw Status(.notFound, "there is no job \(request.id)")
        }

        func cancel(_ request: JobReference, _ context: CallContext) async throws -> JobState {
            JobState()
        }

        func list(_ request: JobQuery, _ context: CallContext) async throws -> JobList {
            JobList()
        }

        func steps(_ request: JobReference, _ context: CallContext) async throws -> StepList {
            StepList()
        }
    }

    /// Serves while `body` runs.
    private func serving(_ body: (String) async throws -> Void) async throws {
        var router = Router()
        router.register(Handler())
        router.clientStreaming(DataAPI.writeArtifact) { chunks, _ in
            var artifact = Artifact()
            for try await chunk in chunks {
                artifact.hash += String(decoding: chunk.data, as: UTF8.self)
                artifact.bytes += chunk.data.count
            }
            return artifact
        }
        let registry = MetricsRegistry()
        router.register(AdminHandler(describing: router, registry: registry))
        let server = Server(ServerConfiguration(), router: router)
        let counters = server.counters
        registry.include("server") { CounterText.exposition(counters) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body("127.0.0.1:\(try await server.listeningPort())")
            server.drain()
        }
    }

    private func hone(_ arguments: String...) async throws -> Executable.Output {
        let wait = arguments[0] == "rpc" ? ["--deadline", "300s"] : []
        return try await Executable.run("hone", arguments + wait)
    }

    @Test func `a server's calls are listed and described`() async throws {
        try await serving { address in
            let list = try await hone("rpc", "list", address)
            #expect(list.status == 0, "\(list.errors)")
            #expect(
                list.text.contains(
                    "hone.Gateway/WatchWorkflow  serverStreaming  "
                        + "hone.jobs.WatchRequest -> hone.jobs.JobEvent\n"))
            #expect(list.text.contains("hone.Admin/Describe  unary"))
            #expect(list.text.contains("grpc.health.v1.Health/Check  no schema\n"))
            let json = try await hone("rpc", "list", address, "--json")
            #expect(json.text.contains("\"hash\":\""))
            let service = try await hone("rpc", "describe", address, "hone.Gateway")
            #expect(service.text.contains("call RunWorkflow(WorkflowRequest) returns JobState"))
            let call = try await hone("rpc", "describe", address, "hone.Gateway/List")
            #expect(call.text.contains("message JobQuery {"), "\(call.errors)")
            let whole = try await hone("rpc", "describe", address)
            #expect(whole.text.contains("schema hone.jobs\n"))
            let nothing = try await hone("rpc", "describe", address, "Nothing")
            #expect(nothing.status == 1)
            #expect(nothing.errors.contains("no service, call, message or enumeration"))
        }
    }

    @Test func `calls are made with JSON`() async throws {
        try await serving { address in
            let run = try await hone(
                "rpc", "call", address, "hone.Gateway/RunWorkflow", "--data", #"{"key": "k1"}"#,
                "--metadata", "x-who=me")
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.text == #"{"id":"k1","status":"running","message":"me"}"# + "\n")
            let watch = try await hone("rpc", "call", address, "hone.Gateway/WatchWorkflow")
            #expect(watch.text == "{\"sequence\":1}\n{\"sequence\":2}\n{\"sequence\":3}\n")
            let small = try await hone(
                "rpc", "call", address, "/hone.Gateway/List", "--data", "{}")
            #expect(small.text == "{}\n", "\(small.errors)")
        }
    }

    /// A message of a schema that `hone` has never seen.
    struct Line: WireMessage {
        static let wireName = "test.chat.Line"
        var text = ""

        init() {}

        mutating func code(with coder: inout WireCoder) {
            coder.string(1, "text", &text)
        }
    }

    @Test func `a service of another schema is called by what it tells of itself`() async throws {
        let talk = Method<Line, Line>(service: "test.Chat", name: "Talk", kind: .bidirectional)
        var router = Router()
        router.unary(AdminAPI.describe) { _, _ in
            Description.with {
                $0.paths = [talk.path]
                $0.schemas = [
                    SchemaSource.with {
                        $0.package = "test.chat"
                        $0.text = """
                            schema test.chat

                            /// Talks back.
                            service test.Chat {
                                /// Says each line again, as it comes.
                                call Talk(stream Line) returns stream Line
                            }

                            /// One line.
                            message Line {
                                /// What is said.
                                1: string text
                            }
                            """
                    }
                ]
            }
        }
        router.bidirectional(talk) { lines, answers, _ in
            for try await line in lines {
                var answer = line
                answer.text += "!"
                try await answers.write(answer)
            }
        }
        let server = Server(ServerConfiguration(), router: router)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = "127.0.0.1:\(try await server.listeningPort())"
            let list = try await hone("rpc", "list", address)
            #expect(list.text.contains("test.Chat/Talk"), "\(list.text) \(list.errors)")
            let hone = try #require(Executable.path(of: "hone"))
            let talked = try await Executable.run(
                "/bin/sh",
                [
                    "-c",
                    #"printf '{"text":"one"}\n{"text":"two"}\n' | "#
                        + "'\(hone)' rpc call \(address) test.Chat/Talk --data - --deadline 300s",
                ])
            #expect(
                talked.text == #"{"text":"one!"}"# + "\n" + #"{"text":"two!"}"# + "\n",
                "\(talked.errors)")
            group.cancelAll()
        }
    }

    @Test func `compressed calls give the same`() async throws {
        try await serving { address in
            let call = ["rpc", "call", address, "hone.Admin/Describe", "--data", "{}"]
            let plain = try await Executable.run("hone", call)
            let compressed = try await Executable.run("hone", call + ["--gzip"])
            #expect(plain.text.count > 10_000 && compressed.text == plain.text)
        }
    }

    @Test func `a stream of requests comes from standard input, one a line`() async throws {
        try await serving { address in
            let hone = try #require(Executable.path(of: "hone"))
            func pipe(_ lines: String) async throws -> Executable.Output {
                try await Executable.run(
                    "/bin/sh",
                    [
                        "-c",
                        "printf '\(lines)' | '\(hone)' rpc call \(address) "
                            + "hone.Data/WriteArtifact --data - --deadline 300s",
                    ])
            }
            // base64 of "abc", "def".
            let written = try await pipe(#"{"data":"YWJj"}\n\n{"data":"ZGVm"}\n"#)
            #expect(written.text == #"{"hash":"abcdef","bytes":6}"# + "\n", "\(written.errors)")
            let none = try await pipe("")
            #expect(none.text == "{}\n", "\(none.errors)")
            let broken = try await pipe(#"{"data":"YWJj"}\n{"data":5}\n"#)
            #expect(broken.status == 1)
            #expect(broken.errors.contains("line 2: $.data"), "\(broken.errors)")
        }
    }

    @Test func `what goes wrong is told by place, code and field`() async throws {
        try await serving { address in
            let field = try await hone(
                "rpc", "call", address, "hone.Gateway/RunWorkflow", "--data",
                #"{"parameters": {"a": 1}}"#)
            #expect(field.status == 1)
            #expect(field.errors.contains("$.parameters.a: a string is expected, not 1"))
            let status = try await hone("rpc", "call", address, "hone.Gateway/Get")
            #expect(status.status == 1)
            #expect(status.errors.contains("notFound: there is no job"))
            let invalid = try await hone(
                "rpc", "call", address, "hone.Gateway/RunWorkflow", "--json")
            #expect(invalid.errors.contains("key: is not empty"))
            #expect(invalid.text.contains("\"reason\":\"FIELDS_INVALID\""), "\(invalid.text)")
            let missing = try await hone("rpc", "call", address, "hone.Gateway/Missing")
            #expect(missing.errors.contains("has no call"))
            let broken = try await hone(
                "rpc", "call", address, "hone.Gateway/Get", "--data", "{")
            #expect(broken.status == 1)
        }
        let bare = Server(ServerConfiguration(), router: Router())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await bare.run() }
            let port = try await bare.listeningPort()
            let output = try await hone("rpc", "list", "127.0.0.1:\(port)")
            #expect(output.errors.contains("does not describe itself"), "\(output.errors)")
            bare.drain()
        }
        #expect(try await hone("rpc", "list", "127.0.0.1:1", "--deadline", "soon").status == 64)
    }

    @Test func `numbers are told by server and by service`() async throws {
        try await serving { address in
            _ = try await hone("rpc", "call", address, "hone.Gateway/List")
            let labels =
                "grpc_type=\"unary\",grpc_service=\"hone.Gateway\",grpc_method=\"List\""
            let own = try await hone("rpc", "metrics", address)
            #expect(
                own.text.contains("grpc_server_handled_total{\(labels),grpc_code=\"OK\"} 1\n"),
                "\(own.errors)")
            let merged = try await hone(
                "metrics", "gateway", "--gateway-service", address, "--timeout", "300")
            let whose = "service=\"gateway\",instance=\"\(address)\""
            #expect(
                merged.text.contains("grpc_server_started_total{\(labels),\(whose)} 1\n"),
                "\(merged.errors)")
            #expect(merged.text.contains("hone_service_up{\(whose)} 1\n"))
        }
        #expect(try await hone("metrics", "tutor").status == 64)
    }
}
