/// What the splitting patterns ask of a character.
enum ScalarClass: UInt8 {
    case letter, number, space, other
}

/// Reads scalars out of valid UTF-8, without making strings.
enum Scalars {
    private static let ascii: [ScalarClass] = (0..<128).map { classOf(UInt32($0)) }

    /// The length in bytes of the character that begins with a byte; 1 for a stray byte.
    static func length(_ lead: UInt8) -> Int {
        lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    /// The scalar at a position and the position after it.
    static func scalar(_ bytes: [UInt8], at index: Int) -> (value: UInt32, end: Int) {
        let lead = bytes[index]
        if lead < 0x80 { return (UInt32(lead), index + 1) }
        let end = min(index + length(lead), bytes.count)
        var value = UInt32(lead) & (0xFF >> UInt32(end - index + 1))
        for next in (index + 1)..<max(end, index + 1) {
            value = value << 6 | UInt32(bytes[next] & 0x3F)
        }
        return (value, end)
    }

    static func classify(_ value: UInt32) -> ScalarClass {
        value < 128 ? ascii[Int(value)] : classOf(value)
    }

    /// The class of the character at a position and the position after it.
    static func classify(_ bytes: [UInt8], at index: Int) -> (kind: ScalarClass, end: Int) {
        let (value, end) = scalar(bytes, at: index)
        return (classify(value), end)
    }

    /// The end of the run of one class that begins at a position.
    static func run(_ bytes: [UInt8], of kind: ScalarClass, from index: Int) -> Int {
        var index = index
        while index < bytes.count {
            let next = classify(bytes, at: index)
            if next.kind != kind { break }
            index = next.end
        }
        return index
    }

    private static func classOf(_ value: UInt32) -> ScalarClass {
        guard let scalar = Unicode.Scalar(value) else { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return scalar.properties.isWhitespace ? .space : .other
        }
    }

    /// Whether a regular expression's `\w` matches: alphabetic, mark, digit or connector.
    static func isWord(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value) else { return false }
        if scalar.properties.isAlphabetic { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }

    static func isPunctuation(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value) else { return false }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default:
            return value < 128 && value > 32 && value < 127 && classify(value) == .other
        }
    }
}
