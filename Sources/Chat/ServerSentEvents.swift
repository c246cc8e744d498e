/// Cuts a stream of bytes into the data of server-sent events.
///
/// Lines end with `\n`, `\r\n` or `\r`; `data:` lines of one event are joined by line breaks; other
/// fields and comments are passed over; an event ends with an empty line.
///
/// - Source: WHATWG HTML, section 9.2, "Server-sent events".
package struct ServerSentEvents: Sendable {
    /// What one event may hold.
    package static let maximumBytes = 4 << 20

    private var line: [UInt8] = []
    private var data: [UInt8]?
    private var lastWasReturn = false
    private var isFirstLine = true

    package init() {}

    /// Takes bytes and gives the data of the events they complete.
    ///
    /// - Throws: `replyTooLarge` for an event above the limit.
    package mutating func append(_ bytes: [UInt8]) throws(ChatError) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), lastWasReturn {
                lastWasReturn = false
                continue
            }
            lastWasReturn = byte == UInt8(ascii: "\r")
            guard lastWasReturn || byte == UInt8(ascii: "\n") else {
                line.append(byte)
                guard line.count + (data?.count ?? 0) <= Self.maximumBytes else {
                    throw ChatError(
                        .replyTooLarge, "an event has more than \(Self.maximumBytes) bytes")
                }
                continue
            }
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else {
            defer { data = nil }
            return data
        }
        guard line.starts(with: "data".utf8) else { return nil }
        var value = line.dropFirst(4)
        if !value.isEmpty {
            // "database: …" is another field.
            guard value.first == UInt8(ascii: ":") else { return nil }
            value = value.dropFirst()
            if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        }
        if data == nil { data = Array(value) } else { data? += [UInt8(ascii: "\n")] + value }
        return nil
    }
}
