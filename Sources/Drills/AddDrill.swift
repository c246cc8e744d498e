/// Add two numbers: each revision is one parallel step of carrying.
///
/// ```
/// Add 48210937 + 59102846       instruction
/// 097312773                     answer: each column added by itself, a 0 before them
/// Carry 010001010. …            feedback: 1 at each column that still misses a carry
/// 007313783                     revision 1: those carries added, all at once
/// Carry 100000000. …            feedback: adding them made this column miss one
/// 107313783                     revision 2
/// ```
public struct AddDrill: DrillTask, Equatable {
    /// Digits, the highest first; both numbers have the same length.
    public let first: [UInt8]
    public let second: [UInt8]
    public let base: Int

    public init(first: [UInt8], second: [UInt8], base: Int = 10) {
        precondition(first.count == second.count && !first.isEmpty, "\(first) \(second)")
        precondition((2...10).contains(base), "base is \(base)")
        precondition((first + second).allSatisfy { $0 < base }, "\(first) \(second) base \(base)")
        self.first = first
        self.second = second
        self.base = base
    }

    init?(recognizing text: String, base: Int) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, words[0] == "Add", words[2] == "+",
            let first = Self.digits(in: words[1], base: base),
            let second = Self.digits(in: words[3], base: base), first.count == second.count
        else { return nil }
        self.first = first
        self.second = second
        self.base = base
    }

    public var instruction: String { "Add \(Self.text(first)) + \(Self.text(second))" }

    var drafts: [String] { steps.map { Self.text($0.digits) } }

    /// A draft, and the carries its feedback names: true where the column still misses one.
    public struct Step: Sendable, Equatable {
        public var digits: [UInt8]
        public var carries: [Bool]
    }

    /// The drafts from the column sums to the sum.
    public var steps: [Step] {
        var digits: [UInt8] = [0]
        var carries: [Bool] = []
        for (one, two) in zip(first, second) {
            digits.append((one + two) % UInt8(base))
            carries.append(one + two >= base)
        }
        carries.append(false)
        var steps = [Step(digits: digits, carries: carries)]
        while carries.contains(true) {
            (digits, carries) = carry(carries, into: digits)
            steps.append(Step(digits: digits, carries: carries))
        }
        return steps
    }

    /// Adds all carries at once; the columns that overflow leave a carry to their left.
    private func carry(_ carries: [Bool], into digits: [UInt8]) -> ([UInt8], [Bool]) {
        var sums = digits
        var next = [Bool](repeating: false, count: digits.count)
        for column in digits.indices where carries[column] {
            sums[column] += 1
            if sums[column] == base {
                sums[column] = 0
                next[column - 1] = true
            }
        }
        return (sums, next)
    }

    func critique(of draft: String) -> Critique {
        let steps = steps
        let found = Self.digits(in: draft[...], base: base) ?? []
        let marks: [Bool]
        if let step = steps.last(where: { $0.digits == found }) {
            marks = step.carries
        } else {
            let sum = steps[steps.count - 1].digits
            marks =
                found.count == sum.count ? zip(found, sum).map { $0 != $1 } : sum.map { _ in true }
        }
        let text = marks.map { $0 ? "1" : "0" }.joined()
        return Critique(marks: "Carry \(text)", isRevisionNeeded: marks.contains(true))
    }

    func rightShare(of draft: String) -> Double {
        let found = Self.digits(in: draft[...], base: base) ?? []
        return Drill.rightShare(found, of: steps[steps.count - 1].digits)
    }

    private static func text(_ digits: [UInt8]) -> String {
        String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
    }

    private static func digits(in text: Substring, base: Int) -> [UInt8]? {
        let zero = UInt8(ascii: "0")
        let bytes = text.utf8
        guard (1...64).contains(bytes.count),
            bytes.allSatisfy({ $0 >= zero && $0 < zero + UInt8(base) })
        else { return nil }
        return bytes.map { $0 - zero }
    }
}
