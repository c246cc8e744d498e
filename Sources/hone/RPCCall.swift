import ArgumentParser
import FoundationEssentials
import RPC
import Schema
import ServiceKit

/// `hone rpc call`
struct RPCCall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Make a call: JSON in, JSON out, one message a line.",
        discussion: """
            Fields that are left out have their defaults; bytes are base64, enumerations names.
            --data - reads messages from standard input, one JSON value a line: any number of them
            where the call takes a stream. Exit code 1: the call failed, its status on standard error.
            Example: hone rpc call 127.0.0.1:7404 hone.Inference/Tokenize --data '{"text": "hello"}'
            """)

    @OptionGroup var server: RPCServer
    @Argument(help: ArgumentHelp("The call.", valueName: "service/method")) var method: String
    @Option(help: ArgumentHelp("The request, or - for standard input.", valueName: "json"))
    var data: String?
    @Option(
        help: ArgumentHelp(
            "Sent along; a name ending in -bin takes base64. Repeatable.", valueName: "key=value"))
    var metadata: [String] = []
    @Flag(help: "Compress the requests, and let the server compress its answers.") var gzip = false
    @Flag(help: "Print a failure's status as JSON, too.") var json = false

    private struct Failure: Encodable {
        var code: String
        var message: String
        var reason: String?
        var metadata: [String: String]?
        var violations: [String: String]?
    }

    func run() async throws {
        do {
            try await server.connected { client in
                let schema = try await server.schema(client).text
                guard let call = schema.call(named: method) else {
                    throw CommandFailure(
                        "\(server.address) has no call \"\(method)\" with a schema; "
                            + "hone rpc list \(server.address) shows what it has")
                }
                try await make(call, Transcoder(schema), client)
            }
        } catch let status as Status {
            if json { try JSONOutput.print(Self.failure(status)) }
            throw CommandFailure(Self.text(status))
        }
    }

    private static func failure(_ status: Status) -> Failure {
        let details = status.details
        return Failure(
            code: "\(status.code)", message: status.message, reason: details?.reason,
            metadata: details?.metadata,
            violations: details.map { details in
                Dictionary(details.violations.map { ($0.field, $0.description) }) { $1 }
            })
    }

    private static func text(_ status: Status) -> String {
        let violations = status.details?.violations ?? []
        return "\(status)" + violations.map { "\n  \($0.field): \($0.description)" }.joined()
    }

    private func make(
        _ call: SchemaText.Call, _ transcoder: Transcoder, _ client: Client
    ) async throws {
        let parts = call.path.dropFirst().split(separator: "/").map(String.init)
        let method = Method<RawMessage, RawMessage>(
            service: parts[0], name: parts[1], kind: call.kind, idempotent: call.isIdempotent)
        let options = try options()
        let requests = RequestLines(data: data, type: call.request, transcoder: transcoder)
        func show(_ answer: RawMessage) throws {
            print(try transcoder.json(of: answer.bytes, as: call.response))
        }
        func showAll(_ answers: ResponseStream<RawMessage>) async throws {
            for try await answer in answers { try show(answer) }
        }
        switch call.kind {
        case .unary:
            try show(await client.unary(method, try requests.only(), options: options))
        case .serverStreaming:
            try await client.serverStreaming(
                method, try requests.only(), options: options, showAll)
        case .clientStreaming:
            try show(
                await client.clientStreaming(method, options: options) { writer in
                    try await requests.write(to: writer)
                })
        case .bidirectional:
            try await client.bidirectional(
                method, options: options, { try await requests.write(to: $0) }, showAll)
        }
    }

    private func options() throws -> CallOptions {
        var options = CallOptions(
            deadline: server.deadline.duration, compression: gzip ? .gzip : nil)
        for entry in metadata {
            guard let equals = entry.firstIndex(of: "=") else {
                throw CommandFailure("--metadata is \"\(entry)\"; write KEY=VALUE")
            }
            let (name, value) = (String(entry[..<equals]), entry[entry.index(after: equals)...])
            if name.hasSuffix("-bin") {
                guard let bytes = Data(base64Encoded: String(value)) else {
                    throw CommandFailure("--metadata \(name) is not base64")
                }
                try options.metadata.add(Array(bytes), for: name)
            } else {
                try options.metadata.add(String(value), for: name)
            }
        }
        return options
    }
}

/// The requests of a call by hand: one text, or the lines of standard input.
private struct RequestLines: Sendable {
    let data: String?
    let type: String
    let transcoder: Transcoder

    /// The one request of a call that takes one; without text, one of defaults only.
    func only() throws -> RawMessage {
        guard data == "-" else { return try message(data ?? "{}") }
        var text = ""
        while let line = readLine(strippingNewline: false) { text += line }
        return try message(text)
    }

    func write(to writer: RequestWriter<RawMessage>) async throws {
        guard data == "-" else {
            if let data { try await writer.write(message(data)) }
            return
        }
        var number = 0
        while let line = readLine() {
            number += 1
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            do {
                try await writer.write(message(line))
            } catch let error as TranscodingError {
                throw CommandFailure("line \(number): \(error)")
            }
        }
    }

    private func message(_ text: String) throws -> RawMessage {
        RawMessage(try transcoder.bytes(ofJSON: text, as: type))
    }
}
