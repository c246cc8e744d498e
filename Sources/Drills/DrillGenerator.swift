/// Makes drills: the same seed makes the same ones, none twice.
///
/// Instances are chosen by how many revisions they need, 0 to 3, so that three always suffice and
/// accuracy rises with every revision: about 8, 38, 69 and 100 % of *sort* are right after 0, 1, 2
/// and 3 revisions, about 5, 37, 69 and 100 % of *add*.
public struct DrillGenerator: Sendable {
    public struct Settings: Sendable, Equatable {
        public var family: DrillFamily
        /// Letters to sort, or digits a number.
        public var size: Int
        /// *sort*: the letters come from the first so many of the alphabet.
        public var alphabet: Int
        /// *add*: of the numbers; smaller is easier to learn.
        public var base: Int
        public var seed: UInt64

        public init(
            family: DrillFamily, size: Int = 8, alphabet: Int = 26, base: Int = 10, seed: UInt64 = 0
        ) {
            self.family = family
            self.size = size
            self.alphabet = alphabet
            self.base = base
            self.seed = seed
        }

        /// - Throws: `DrillError` where no such drill can be.
        public func check() throws(DrillError) {
            guard (2...26).contains(size) else {
                throw .setting(name: "size", value: size, expected: "2 to 26")
            }
            guard (2...10).contains(base) else {
                throw .setting(name: "base", value: base, expected: "2 to 10")
            }
            guard family == .add || (size...26).contains(alphabet) else {
                throw .setting(name: "alphabet", value: alphabet, expected: "\(size) to 26")
            }
        }
    }

    /// How often, in percent, an instance needs 0, 1, 2 and 3 revisions.
    static let weights: [DrillFamily: [Int]] = [
        .sort: [8, 30, 31, 31], .add: [5, 32, 32, 31],
    ]

    /// Tries before the wished number of revisions, and before a new drill, are given up.
    private static let triesForDepth = 2_000
    private static let triesForNew = 200

    public let settings: Settings
    private var random: DrillRandom
    private var seen: Set<String>

    /// - Parameter excluded: instructions that must not come, for example those of another set.
    public init(_ settings: Settings, excluding excluded: Set<String> = []) throws(DrillError) {
        try settings.check()
        self.settings = settings
        // The families differ even with one seed.
        random = DrillRandom(seed: settings.seed &* 2 &+ (settings.family == .sort ? 0 : 1))
        seen = excluded
    }

    /// The next drill.
    ///
    /// - Throws: `exhausted` where hardly any new one is left.
    public mutating func next() throws(DrillError) -> Drill {
        for _ in 0..<Self.triesForNew {
            let drill = instance()
            if seen.insert(drill.instruction).inserted { return drill }
        }
        throw .exhausted(family: settings.family, size: settings.size, made: seen.count)
    }

    private mutating func instance() -> Drill {
        while true {
            let revisions = chosenRevisions()
            for _ in 0..<Self.triesForDepth {
                let candidate = settings.family == .sort ? sort(revisions) : add()
                if let candidate, candidate.drafts.count == revisions + 1 { return candidate }
            }
        }
    }

    private mutating func chosenRevisions() -> Int {
        var rest = Int(random.below(100))
        for (revisions, weight) in (Self.weights[settings.family] ?? [100]).enumerated() {
            if rest < weight { return revisions }
            rest -= weight
        }
        return 0
    }

    /// Letters disordered by undoing passes; nil where a pass on the way back changes nothing.
    private mutating func sort(_ revisions: Int) -> Drill? {
        var pool = (0..<settings.alphabet).map { UInt8(ascii: "a") + UInt8($0) }
        for place in 0..<settings.size {
            pool.swapAt(place, place + Int(random.below(UInt64(settings.alphabet - place))))
        }
        var letters = pool.prefix(settings.size).sorted()
        for pass in (0...revisions).reversed() {
            for left in stride(from: pass % 2, to: letters.count - 1, by: 2)
            where letters[left] < letters[left + 1] && random.below(10) < 7 {
                letters.swapAt(left, left + 1)
            }
        }
        let drill = SortDrill(letters: letters)
        let passes = drill.passes
        // Equal drafts would leave it open which of them a text is.
        guard Set(passes).count == passes.count else { return nil }
        return .sort(drill)
    }

    private mutating func add() -> Drill {
        var digits: [UInt8] = []
        for _ in 0..<2 * settings.size { digits.append(UInt8(random.below(UInt64(settings.base)))) }
        return .add(
            AddDrill(
                first: Array(digits.prefix(settings.size)),
                second: Array(digits.suffix(settings.size)), base: settings.base))
    }
}

/// Why no drill can be made.
public enum DrillError: Error, Sendable, Equatable, CustomStringConvertible {
    case setting(name: String, value: Int, expected: String)
    case exhausted(family: DrillFamily, size: Int, made: Int)

    public var description: String {
        switch self {
        case .setting(let name, let value, let expected):
            "the \(name) of a drill is \(value); it must be \(expected)"
        case .exhausted(let family, let size, let made):
            "no further \(family.rawValue) drill of size \(size) was found beside \(made);"
                + " ask for fewer, or for a larger size"
        }
    }
}

/// - Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
struct DrillRandom: Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number below `bound`, each as likely as the next to within 2⁻⁵⁰.
    mutating func below(_ bound: UInt64) -> UInt64 {
        next().multipliedFullWidth(by: bound).high
    }
}
