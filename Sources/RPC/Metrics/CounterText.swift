/// Counters as Prometheus reads them, under the names that gRPC's tools give them.
///
/// - Source: grpc-ecosystem, go-grpc-prometheus, README.md; bytes are ours.
public enum CounterText {
    /// The text format of Prometheus, version 0.0.4; the counters are all of one side.
    public static func exposition(_ counters: [MethodCounters]) -> String {
        guard let side = counters.first?.side else { return "" }
        let before = "grpc_\(side.rawValue)"
        var text = ""
        func family(_ name: String, _ kind: String, _ help: String) {
            text += "# HELP \(before)_\(name) \(help)\n# TYPE \(before)_\(name) \(kind)\n"
        }
        func single(_ name: String, _ help: String, _ value: (MethodCounters) -> Int) {
            family(name, "counter", help)
            for counter in counters {
                text += "\(before)_\(name){\(labels(counter))} \(value(counter))\n"
            }
        }
        single("started_total", "Calls that began.", \.started)
        family("handled_total", "counter", "Calls that ended, by code.")
        for counter in counters { text += handled(counter, before) }
        family("handling_seconds", "histogram", "How long calls took.")
        for counter in counters { text += durations(counter, before) }
        single("msg_received_total", "Messages that came in.") { $0.received.messages }
        single("msg_sent_total", "Messages that went out.") { $0.sent.messages }
        single("received_bytes_total", "Bytes of messages that came in.") { $0.received.bytes }
        single("sent_bytes_total", "Bytes of messages that went out.") { $0.sent.bytes }
        return text
    }

    private static func labels(_ counter: MethodCounters) -> String {
        "grpc_type=\"\(type(counter.kind))\",grpc_service=\"\(counter.service)\","
            + "grpc_method=\"\(counter.name)\""
    }

    /// A code that never occurred is left out, but for `OK`, whose rate is always of interest.
    private static func handled(_ counter: MethodCounters, _ before: String) -> String {
        Status.Code.allCases.map { code in
            let count = counter.ended(with: code)
            guard count > 0 || code == .ok else { return "" }
            return "\(before)_handled_total{\(labels(counter)),grpc_code=\"\(name(code))\"} "
                + "\(count)\n"
        }.joined()
    }

    private static func durations(_ counter: MethodCounters, _ before: String) -> String {
        let (counts, seconds) = counter.durations
        let labels = labels(counter)
        let bounds = MethodCounters.bounds.map { "\(number(Double($0) / 1e6))" } + ["+Inf"]
        var text = ""
        var total = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            text += "\(before)_handling_seconds_bucket{\(labels),le=\"\(bound)\"} \(total)\n"
        }
        return text + "\(before)_handling_seconds_sum{\(labels)} \(number(seconds))\n"
            + "\(before)_handling_seconds_count{\(labels)} \(total)\n"
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func type(_ kind: CallKind) -> String {
        switch kind {
        case .unary: "unary"
        case .clientStreaming: "client_stream"
        case .serverStreaming: "server_stream"
        case .bidirectional: "bidi_stream"
        }
    }

    private static func name(_ code: Status.Code) -> String {
        switch code {
        case .ok: "OK"
        case .cancelled: "Canceled"
        case .unknown: "Unknown"
        case .invalidArgument: "InvalidArgument"
        case .deadlineExceeded: "DeadlineExceeded"
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .permissionDenied: "PermissionDenied"
        case .resourceExhausted: "ResourceExhausted"
        case .failedPrecondition: "FailedPrecondition"
        case .aborted: "Aborted"
        case .outOfRange: "OutOfRange"
        case .unimplemented: "Unimplemented"
        case .internal: "Internal"
        case .unavailable: "Unavailable"
        case .dataLoss: "DataLoss"
        case .unauthenticated: "Unauthenticated"
        }
    }
}
