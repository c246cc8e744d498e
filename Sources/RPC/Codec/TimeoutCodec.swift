/// The form of `grpc-timeout`: at most eight digits and a unit.
package enum TimeoutCodec {
    /// Nanoseconds in each unit.
    private static let units: [(letter: UInt8, nanoseconds: Int64)] = [
        (UInt8(ascii: "n"), 1), (UInt8(ascii: "u"), 1_000), (UInt8(ascii: "m"), 1_000_000),
        (UInt8(ascii: "S"), 1_000_000_000), (UInt8(ascii: "M"), 60_000_000_000),
        (UInt8(ascii: "H"), 3_600_000_000_000),
    ]

    /// The finest unit that holds the value in eight digits, rounded up.
    package static func encode(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds =
            whole.overflow
            ? Int64.max : max(0, whole.partialValue &+ attoseconds / 1_000_000_000)
        for unit in units {
            let value =
                nanoseconds / unit.nanoseconds + (nanoseconds % unit.nanoseconds == 0 ? 0 : 1)
            if value <= 99_999_999 {
                return "\(value)\(Character(Unicode.Scalar(unit.letter)))"
            }
        }
        return "99999999H"
    }

    /// Nil where the text is not a timeout; at most ten years where it is.
    package static func decode(_ text: ArraySlice<UInt8>) -> Duration? {
        guard let last = text.last, (2...9).contains(text.count),
            let unit = units.first(where: { $0.letter == last })
        else { return nil }
        var value: Int64 = 0
        for digit in text.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        let seconds = Double(value) * Double(unit.nanoseconds) / 1e9
        let decade = 10.0 * 365 * 86_400
        return seconds > decade
            ? .seconds(Int64(decade)) : .nanoseconds(value * unit.nanoseconds)
    }
}
