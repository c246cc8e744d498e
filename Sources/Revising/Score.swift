/// The score a feedback gives, on the scale of 1 to 10.
public enum Score {
    /// The last score of a feedback; nil where it names none.
    ///
    /// Reads `8/10`, `8 out of 10`, `Score: 8`, `score of 8.5`, `I would rate this answer an 8`.
    public static func find(in feedback: String) -> Double? {
        let text = Bytes(feedback).lowercased
        var last: Double?
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index].isDigit else {
                index += 1
                continue
            }
            let number = number(at: index, in: text)
            let isPartOfWord =
                index > text.startIndex
                && (text[index - 1].isLetter || text[index - 1] == UInt8(ascii: "/")
                    || text[index - 1] == UInt8(ascii: "-") || text[index - 1] == .dot)
            if !isPartOfWord, let value = number.value, value <= 10,
                isOutOfTen(after: number.end, in: text) || isNamed(before: index, in: text)
            {
                last = value
            }
            index = number.end
        }
        return last
    }

    private static func number(at start: Int, in text: Bytes) -> (value: Double?, end: Int) {
        var end = start
        while end < text.endIndex, text[end].isDigit { end += 1 }
        if end + 1 < text.endIndex, text[end] == .dot, text[end + 1].isDigit {
            end += 1
            while end < text.endIndex, text[end].isDigit { end += 1 }
        }
        return (Double(text[start..<end].text), end)
    }

    private static func isOutOfTen(after end: Int, in text: Bytes) -> Bool {
        let rest = text[end...].drop { $0.isSpace }
        for form in ["/10", "/ 10", "out of 10", "out of ten"] where rest.starts(with: form.utf8) {
            return true
        }
        return false
    }

    /// Whether "score", "rate" or "rating" stands shortly before, in the same sentence.
    private static func isNamed(before start: Int, in text: Bytes) -> Bool {
        let before = text[max(text.startIndex, start - 48)..<start]
        let names = ["score", "rate ", "rating", "grade"]
        let found = names.compactMap { name in
            stride(from: before.endIndex - name.utf8.count, through: before.startIndex, by: -1)
                .first { before.holds(Array(name.utf8), at: $0) }
        }
        guard let name = found.max() else { return false }
        let between = before[name...]
        if between.contains("less than") || between.contains("scale") { return false }
        return !between.contains(.dot) && !between.contains(.newline)
            && !between.dropFirst(4).contains { $0.isDigit }
    }
}
