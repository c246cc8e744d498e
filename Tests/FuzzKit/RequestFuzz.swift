import HTTP2
import RPC

/// The headers of a request, on their way through a server's connection to its handler.
enum RequestFuzz {
    /// Headers of requests and values that they have, or nearly.
    private static let pool: [(name: String, values: [String])] = [
        (":method", ["POST", "GET", "post", ""]),
        (":path", ["/hone.fuzz.Calls/Same", "/hone.fuzz.Calls/", "*", ""]),
        (":scheme", ["http", "https", "ftp"]), (":authority", ["x", "", "a b"]),
        ("content-type", ["application/grpc", "application/grpc+proto", "text/html", ""]),
        ("te", ["trailers", "gzip", ""]), ("grpc-encoding", ["gzip", "identity", "br", ""]),
        ("grpc-timeout", ["1n", "99999999H", "000000001S", "1", "-1S", "1s", "٣S"]),
        ("host", ["x"]), ("connection", ["close"]), ("content-length", ["0", "8", "9", "x"]),
        ("transfer-encoding", ["chunked"]), ("user-agent", ["fuzz"]),
    ]
    /// Headers that a service sees, and that no request is refused for.
    private static let metadata: [(name: String, values: [String])] = [
        (
            "traceparent",
            [
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more",
                "00-00000000000000000000000000000000-b7ad6b7169203331-00",
            ]
        ),
        ("tracestate", ["a=1,b=2", "a=1,\tb=2 , ,,", ",", "a@b= x", "a=", "a=1=2"]),
        ("grpc-previous-rpc-attempts", ["1", "-9223372036854775808", "9223372036854775807", "x"]),
        ("grpc-retry-pushback-ms", ["0", "-1", "86400001", "+5"]),
        ("grpc-accept-encoding", ["gzip", "identity, gzip", ","]),
        ("x-bytes-bin", ["AAEC", "AAEC,,AA==", "=", "A"]), ("hone-repetition", ["1"]),
    ]

    static func headers(_ source: inout ByteSource) throws {
        var list = HeaderList([
            (":method", "POST"), (":scheme", "http"), (":path", FuzzCalls.same.path),
            (":authority", "x"), ("te", "trailers"), ("content-type", "application/grpc"),
        ])
        var isSound = true
        for _ in 0..<source.byte() % 40 where !source.isEmpty {
            let choice = source.byte()
            if choice % 4 == 0 {
                isSound = false
                list = change(list, &source)
            } else {
                let (name, values) = metadata[Int(choice >> 2) % metadata.count]
                var value = values[Int(source.byte()) % values.count]
                if choice % 4 == 1 { value = mutated(value, &source) }
                isSound = isSound && Self.isSound(value)
                list.append(name, value)
            }
        }
        try checkMetadata(CodecProbe.metadata(of: list), list.listBytes)
        let answer = try answer(to: list)
        try require(
            !isSound || answer == .status(.ok),
            "\(list.pairs) came to \(String(describing: answer))")
    }

    /// Whether HTTP/2 takes a value.
    private static func isSound(_ value: String) -> Bool {
        let ends = [value.utf8.first, value.utf8.last]
        return value.utf8.allSatisfy { $0 == 9 || (0x20..<0x7F) ~= $0 }
            && ends.allSatisfy { $0 != 9 && $0 != 0x20 }
    }

    /// The list with a header more, or another value for one that it has.
    private static func change(_ list: HeaderList, _ source: inout ByteSource) -> HeaderList {
        let choice = source.byte()
        var (name, values) = pool[Int(choice) % pool.count]
        var value = values[Int(choice >> 4) % values.count]
        if choice % 5 == 0 { value = mutated(value, &source) }
        if choice % 7 == 0 { name = String(decoding: source.bytes(8), as: UTF8.self) }
        guard choice % 3 != 0 else {
            var longer = list
            longer.append(name, value)
            return longer
        }
        let pairs = list.pairs.map { $0.name == name ? ($0.name, value) : ($0.name, $0.value) }
        return HeaderList(pairs.contains { $0.0 == name } ? pairs : pairs + [(name, value)])
    }

    private static func mutated(_ value: String, _ source: inout ByteSource) -> String {
        var bytes = Array(value.utf8)
        for _ in 0...source.byte() % 3 {
            let place = Int(source.byte()) % (bytes.count + 1)
            let count = Int(source.byte() % 3)
            bytes.replaceSubrange(
                place..<min(place + count, bytes.count), with: source.bytes(Int(source.byte() % 4)))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: What services and callers read

    private static func checkMetadata(_ metadata: Metadata, _ bytes: Int) throws {
        let sum = metadata.entries.reduce(0) { sum, entry in
            switch entry.value {
            case .ascii(let text): sum + text.utf8.count
            case .binary(let bytes): sum + bytes.count
            }
        }
        // What is no UTF-8 becomes three bytes each.
        try require(sum <= 3 * bytes, "\(bytes) bytes of headers became \(sum) of metadata")
        try require(metadata.previousAttempts >= 0, "\(metadata.previousAttempts) attempts")
        if case .after(let pause) = metadata.retryPushback {
            try require((.zero ... .seconds(86_400)) ~= pause, "a pause of \(pause)")
            var trailers = metadata
            trailers.setRetryPushback(.after(pause))
            try require(
                trailers.retryPushback == .after(pause), "\(pause) became \(trailers.entries)")
        }
        try checkTrace(metadata)
    }

    /// A trace that was read is the same once written and read again, and can be written.
    private static func checkTrace(_ metadata: Metadata) throws {
        let states = metadata.values(of: "tracestate")
        guard
            let trace = TraceContext(parent: metadata.values(of: "traceparent"), states: states)
        else { return }
        try require(trace.trace != (0, 0) && trace.span != 0, "\(trace) has no identifier")
        let again = TraceContext(parent: [trace.header], states: [trace.state])
        try require(again == trace, "\(trace) came back as \(String(describing: again))")
        guard !trace.state.isEmpty else { return }
        var written = Metadata()
        try written.add(trace.state, for: "tracestate")
        try require(
            written["tracestate"] == trace.state, "\(trace.state) became \(written.entries)")
    }

    // MARK: What the server answers

    private enum Answer: Equatable {
        case status(Status.Code)
        case http(String)
        /// HTTP/2 refused the headers, on the stream or with the connection.
        case refused
    }

    /// Sends a whole request, and waits for its end.
    private static func answer(to list: HeaderList) throws -> Answer {
        let server = MovedChannel()
        let tally = Tally()
        var configuration = ServerConfiguration()
        configuration.interceptors = [Tracing()]
        let probe = try ServerProbe(configuration, FuzzCalls.router(tally), on: server.channel)
        tally.run(on: probe.executor, probe.run)
        try server.connect()
        let client = try Session(role: .client)
        let stream = try client.request(list)
        client.send(stream, Chunk([0, 0, 0, 0, 3, 1, 2, 3]))
        try client.finish(stream)
        try server.feed(client.produce(upTo: 1 << 20))
        try server.move()
        let answer = try read(server.output, client, stream)
        try server.close()
        try require(tally.runningCount == 0, "\(tally.runningCount) tasks are at work")
        try require(probe.calls.begun == probe.calls.ended, "\(probe.calls)")
        try server.finish()
        return answer
    }

    private static func read(
        _ bytes: [UInt8], _ client: Session, _ stream: HTTP2.Stream
    ) throws -> Answer {
        try client.receive(bytes, at: .now)
        var events: [Event] = []
        client.takeEvents(into: &events)
        var fields: [(name: String, value: String)] = []
        var isRefused = false
        for event in events {
            switch event {
            case .headers(_, let block): fields += block.fields.pairs
            case .closed(_, let code): isRefused = isRefused || code != .noError
            case .goAway: isRefused = true
            default: break
            }
        }
        if isRefused { return .refused }
        let http = fields.first { $0.name == ":status" }?.value ?? ""
        try require(stream.isClosed, "the request has no end")
        guard http == "200" else {
            try require(http == "415" || http == "400", "the answer's status is \(http)")
            return .http(http)
        }
        let text = fields.first { $0.name == "grpc-status" }?.value ?? ""
        guard let code = Int(text).flatMap({ Status.Code(rawValue: $0) }) else {
            throw FuzzFailure("the call's status is \(text)")
        }
        return .status(code)
    }
}
