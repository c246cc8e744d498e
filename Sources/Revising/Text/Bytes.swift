/// Searching and cutting UTF-8 bytes.
///
/// The original's rules are about code points; Swift's `Character` would join `\r\n` and combining
/// marks. ASCII patterns found in UTF-8 bytes mean the same as in code points.
typealias Bytes = ArraySlice<UInt8>

extension Bytes {
    init(_ text: String) {
        self = ArraySlice(Array(text.utf8))
    }

    var text: String { String(decoding: self, as: UTF8.self) }

    /// Where `pattern` first occurs at or after `start`.
    func firstRange(of pattern: StaticString, from start: Int? = nil) -> Range<Int>? {
        firstRange(of: Array(pattern.description.utf8), from: start)
    }

    func firstRange(of pattern: [UInt8], from start: Int? = nil) -> Range<Int>? {
        guard let head = pattern.first else { return nil }
        var index = start ?? startIndex
        while index + pattern.count <= endIndex {
            guard let found = self[index...].firstIndex(of: head) else { return nil }
            if holds(pattern, at: found) { return found..<found + pattern.count }
            index = found + 1
        }
        return nil
    }

    /// Where `pattern` last occurs.
    func lastRange(of pattern: StaticString) -> Range<Int>? {
        let pattern = Array(pattern.description.utf8)
        var index = endIndex - pattern.count
        while index >= startIndex {
            if holds(pattern, at: index) { return index..<index + pattern.count }
            index -= 1
        }
        return nil
    }

    func holds(_ pattern: [UInt8], at index: Int) -> Bool {
        guard index >= startIndex, index + pattern.count <= endIndex else { return false }
        return self[index..<index + pattern.count].elementsEqual(pattern)
    }

    func contains(_ pattern: StaticString) -> Bool { firstRange(of: pattern) != nil }

    func starts(with pattern: StaticString) -> Bool { starts(with: pattern.description.utf8) }

    /// ASCII letters made small; the patterns looked for are ASCII.
    var lowercased: Bytes { ArraySlice(map(\.asciiLowercased)) }

    /// The pieces between single bytes, empty ones included.
    func pieces(separatedBy separator: UInt8) -> [Bytes] {
        split(separator: separator, omittingEmptySubsequences: false)
    }

    /// Without white space at its end.
    var trimmedAtEnd: Bytes {
        var end = endIndex
        while end > startIndex, self[end - 1].isSpace { end -= 1 }
        return self[startIndex..<end]
    }

    /// Without white space at either end.
    var trimmed: Bytes { trimmedAtEnd.drop { $0.isSpace } }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")
    static let dot = UInt8(ascii: ".")

    var asciiLowercased: UInt8 { (65...90).contains(self) ? self + 32 : self }
    var isSpace: Bool { self == 32 || (9...13).contains(self) || (28...31).contains(self) }
    var isDigit: Bool { (48...57).contains(self) }
    var isUppercase: Bool { (65...90).contains(self) }
    var isLowercase: Bool { (97...122).contains(self) }
    /// ASCII letters, and every byte of a longer code point.
    var isLetter: Bool { isUppercase || isLowercase || self >= 128 }
}

/// Joins pieces with one separator byte.
func join(_ pieces: some Collection<Bytes>, with separator: UInt8) -> Bytes {
    var joined: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
        if index > 0 { joined.append(separator) }
        joined += piece
    }
    return ArraySlice(joined)
}
