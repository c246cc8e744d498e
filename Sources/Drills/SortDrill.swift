/// Sort letters: each revision is one odd-even transposition pass.
///
/// ```
/// Sort: q d f a z b e c         instruction
/// d q a f b z c e               answer: pass 0 exchanged pairs (0,1) (2,3) (4,5) (6,7)
/// Order + - + - + - +. …        feedback: one mark a pair, '-' out of order
/// d a q b f c z e               revision 1: pass 1 exchanged pairs (1,2) (3,4) (5,6)
/// ```
/// - Source: Habermann 1972, "Parallel neighbor-sort".
public struct SortDrill: DrillTask, Equatable {
    /// Different lower-case letters, as ASCII.
    public let letters: [UInt8]

    public init(letters: [UInt8]) {
        precondition(letters.count > 1 && Set(letters).count == letters.count, "\(letters)")
        self.letters = letters
    }

    init?(recognizing text: String) {
        guard text.hasPrefix("Sort: "),
            let letters = Self.letters(in: String(text.dropFirst(6))), letters.count > 1,
            Set(letters).count == letters.count
        else { return nil }
        self.letters = letters
    }

    public var instruction: String { "Sort: " + Self.text(letters) }

    var drafts: [String] { passes.map(Self.text) }

    /// The letters after pass 0, pass 1 and so on, until they are sorted.
    public var passes: [[UInt8]] {
        let sorted = letters.sorted()
        var passes = [Self.pass(0, over: letters)]
        // As many passes as there are letters sort anything.
        while let last = passes.last, last != sorted, passes.count <= letters.count {
            passes.append(Self.pass(passes.count, over: last))
        }
        return passes
    }

    func critique(of draft: String) -> Critique {
        let count = letters.count
        let found = Self.letters(in: draft) ?? []
        var marks = [Bool](repeating: false, count: count - 1)
        if found.count == count {
            let known = Set(letters)
            for pair in marks.indices {
                marks[pair] =
                    found[pair] < found[pair + 1] && known.contains(found[pair])
                    && known.contains(found[pair + 1])
            }
        }
        let isRight = found == letters.sorted()
        // In order, but not these letters: nothing in it can be kept.
        if !isRight, marks.allSatisfy(\.self) { marks = marks.map { _ in false } }
        let text = marks.map { $0 ? " +" : " -" }.joined()
        return Critique(marks: "Order\(text)", isRevisionNeeded: !isRight)
    }

    func rightShare(of draft: String) -> Double {
        Drill.rightShare(Self.letters(in: draft) ?? [], of: letters.sorted())
    }

    /// One pass: even ones exchange within pairs (0,1) (2,3) …, odd ones within (1,2) (3,4) ….
    static func pass(_ number: Int, over letters: [UInt8]) -> [UInt8] {
        var letters = letters
        var left = number % 2
        while left + 1 < letters.count {
            if letters[left] > letters[left + 1] { letters.swapAt(left, left + 1) }
            left += 2
        }
        return letters
    }

    private static func text(_ letters: [UInt8]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * letters.count)
        for letter in letters {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
            bytes.append(letter)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Lower-case letters with one blank between them, or nil.
    private static func letters(in text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count % 2 == 1, bytes.count < 2 * 64 else { return nil }
        var letters: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if index % 2 == 1 {
                guard byte == UInt8(ascii: " ") else { return nil }
            } else {
                guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) else { return nil }
                letters.append(byte)
            }
        }
        return letters
    }
}
