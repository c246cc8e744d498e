/// Finds texts that end a generation, and holds back what may become one.
public struct StopMatcher: Sendable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []

    public init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// What may be shown now that `text` has arrived, and whether a stop was found.
    ///
    /// The stop itself, and all after it, is never shown.
    public mutating func push(_ text: String) -> (text: String, isStopped: Bool) {
        held += Array(text.utf8)
        guard !stops.isEmpty else { return (take(held.count), false) }
        var earliest: Int?
        for stop in stops {
            if let start = Self.find(stop, in: held), start < earliest ?? .max { earliest = start }
        }
        if let earliest {
            defer { held = [] }
            return (take(earliest), true)
        }
        return (take(held.count - pending), false)
    }

    /// What was held back, once nothing more comes.
    public mutating func finish() -> String {
        take(held.count)
    }

    /// How long an ending of the text is that begins some stop.
    private var pending: Int {
        var longest = 0
        for stop in stops {
            var length = min(stop.count - 1, held.count)
            while length > longest {
                if held.suffix(length).elementsEqual(stop.prefix(length)) { longest = length }
                length -= 1
            }
        }
        return longest
    }

    private mutating func take(_ count: Int) -> String {
        let text = String(decoding: held.prefix(count), as: UTF8.self)
        held.removeFirst(count)
        return text
    }

    private static func find(_ stop: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= stop.count else { return nil }
        return (0...text.count - stop.count).first { start in
            text[start] == stop[0] && text[start..<start + stop.count].elementsEqual(stop)
        }
    }
}
