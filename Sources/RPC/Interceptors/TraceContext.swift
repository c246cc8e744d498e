/// Where a call stands in a trace that crosses processes: W3C Trace Context, version 00.
///
/// ```
/// traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
///              version  trace, the same throughout   span, one hop's   flags, 01 = sampled
/// ```
/// - Source: W3C, Trace Context, Recommendation of 23 November 2021.
public struct TraceContext: Sendable, Hashable {
    /// The trace's two halves; not both 0.
    public let trace: (high: UInt64, low: UInt64)
    /// This hop's; not 0.
    public let span: UInt64
    /// The hop's before; nil at the trace's beginning.
    public let parent: UInt64?
    /// Bit 0: whether the trace's beginner asks for its recording.
    public let flags: UInt8
    /// What tracing systems pass along, as it came; empty where nothing did.
    public let state: String

    public var isSampled: Bool { flags & 1 == 1 }

    /// The trace of the call this task answers: calls it makes in turn belong to it.
    @TaskLocal public static var current: TraceContext?

    /// Begins a trace, not sampled.
    public init() {
        self.init(
            trace: (.random(in: 1 ... .max), .random(in: 0 ... .max)), span: Self.randomSpan(),
            parent: nil, flags: 0, state: "")
    }

    /// Reads the headers of a caller; nil where `traceparent` is not one, or not alone.
    ///
    /// - Parameter states: the values of `tracestate` in order; an invalid one is left out, and
    ///   does no harm to the trace.
    public init?(parent values: [String], states: [String] = []) {
        guard values.count == 1 else { return nil }
        let text = Array(values[0].utf8)
        // A later version may have more behind a further dash.
        guard text.count == 55 || (text.count > 55 && text[55] == UInt8(ascii: "-")),
            text[2] == UInt8(ascii: "-"), text[35] == UInt8(ascii: "-"),
            text[52] == UInt8(ascii: "-"), let version = Self.number(text[0..<2]),
            version != 0xFF, version != 0 || text.count == 55,
            let high = Self.number(text[3..<19]), let low = Self.number(text[19..<35]),
            let span = Self.number(text[36..<52]), let flags = Self.number(text[53..<55]),
            high != 0 || low != 0, span != 0
        else { return nil }
        self.init(
            trace: (high, low), span: span, parent: nil, flags: UInt8(flags & 1),
            state: Self.state(states))
    }

    private init(
        trace: (high: UInt64, low: UInt64), span: UInt64, parent: UInt64?, flags: UInt8,
        state: String
    ) {
        self.trace = trace
        self.span = span
        self.parent = parent
        self.flags = flags
        self.state = state
    }

    /// The next hop of the same trace.
    public func next() -> TraceContext {
        TraceContext(
            trace: trace, span: Self.randomSpan(), parent: span, flags: flags, state: state)
    }

    /// The value of `traceparent` for whoever is called with this span.
    public var header: String {
        "00-\(traceID)-\(spanID)-0\(flags & 1)"
    }

    /// 32 hexadecimal digits.
    public var traceID: String { Self.digits(trace.high) + Self.digits(trace.low) }
    /// 16 hexadecimal digits.
    public var spanID: String { Self.digits(span) }
    /// 16 hexadecimal digits; nil at the trace's beginning.
    public var parentID: String? { parent.map(Self.digits) }

    public static func == (one: TraceContext, other: TraceContext) -> Bool {
        one.trace == other.trace && one.span == other.span && one.parent == other.parent
            && one.flags == other.flags && one.state == other.state
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(trace.low)
        hasher.combine(span)
    }

    private static func randomSpan() -> UInt64 { .random(in: 1 ... .max) }

    /// Digits in lower case only, as the standard has it.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The members without what may stand between them; empty where one is none, where two have one
    /// key, and where they are more than 32 or have more than 512 bytes.
    private static func state(_ values: [String]) -> String {
        var members: [Substring] = []
        var keys: Set<Substring> = []
        for member in values.flatMap({ $0.split(separator: ",") }).map(trimmed) {
            // The standard lets empty ones stand.
            guard !member.isEmpty else { continue }
            guard let key = key(of: member), keys.insert(key).inserted else { return "" }
            members.append(member)
        }
        let joined = members.joined(separator: ",")
        return members.count <= 32 && joined.utf8.count <= 512 ? joined : ""
    }

    private static func trimmed(_ member: Substring) -> Substring {
        let start = member.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { start[...$0] } ?? ""
    }

    /// The key of `key=value`; nil where it is not that.
    private static func key(of member: Substring) -> Substring? {
        guard let equals = member.firstIndex(of: "="), isKey(member[..<equals]) else { return nil }
        let value = member[member.index(after: equals)...].utf8
        let isValue =
            (1...256).contains(value.count)
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
        return isValue ? member[..<equals] : nil
    }

    private static func isKey(_ key: Substring) -> Bool {
        guard let first = key.utf8.first, key.utf8.count <= 256 else { return false }
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        return (isLetter || isDigit)
            && key.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                    || "_-*/@".utf8.contains(byte)
            }
    }
}

/// Carries W3C trace context: from a caller's headers to the handler's context and task, and from
/// there to the calls the handler makes.
///
/// On a server and on a client; either does its part without the other. A caller who sends none, or
/// an invalid one, begins a trace.
public struct Tracing: ServerInterceptor, ClientInterceptor {
    public init() {}

    public func intercept(
        _ exchange: ServerExchange, next: (ServerExchange) async throws -> Void
    ) async throws {
        let metadata = exchange.context.metadata
        let caller = TraceContext(
            parent: metadata.values(of: "traceparent"), states: metadata.values(of: "tracestate"))
        let trace = caller?.next() ?? TraceContext()
        var exchange = exchange
        exchange.context.trace = trace
        try await TraceContext.$current.withValue(trace) { try await next(exchange) }
    }

    public func intercept<Result>(
        _ exchange: ClientExchange, next: (ClientExchange) async throws -> Result
    ) async throws -> Result {
        // Who gives a trace by hand keeps it.
        guard exchange.options.metadata["traceparent"] == nil else {
            return try await next(exchange)
        }
        let trace = TraceContext.current?.next() ?? TraceContext()
        var exchange = exchange
        try exchange.options.metadata.add(trace.header, for: "traceparent")
        if !trace.state.isEmpty {
            try exchange.options.metadata.add(trace.state, for: "tracestate")
        }
        return try await next(exchange)
    }
}
