/// A kind of small task whose answer can be checked.
public enum DrillFamily: String, Sendable, CaseIterable {
    case sort, add
}

/// What the tutor says about an answer to a drill.
public struct Critique: Sendable, Equatable {
    /// The whole feedback, verdict included.
    public var text: String
    public var isRevisionNeeded: Bool

    init(marks: String, isRevisionNeeded: Bool) {
        let verdict = isRevisionNeeded ? "Revision is needed." : "Revision is not needed."
        text = "\(marks). \(verdict)"
        self.isRevisionNeeded = isRevisionNeeded
    }
}

/// What every family of drills knows.
protocol DrillTask: Sendable {
    var instruction: String { get }
    /// The drafts from the first answer to the right one, each a revision of the one before.
    var drafts: [String] { get }
    /// What is true of any text offered as an answer.
    func critique(of draft: String) -> Critique
    /// The share of places where a text has what the right answer has.
    func rightShare(of draft: String) -> Double
}

/// One small task with one right answer, which is reached by drafts, each better than the last.
///
/// The path is a function of the instruction alone, so whoever holds an instruction and a draft can
/// tell the feedback and the next draft: the tutor keeps no state.
public enum Drill: Sendable, Equatable {
    case sort(SortDrill)
    case add(AddDrill)

    /// The drill an instruction asks for, or nil where it asks for something else.
    ///
    /// - Parameter base: of the numbers in *add*; an instruction does not name it.
    public init?(recognizing instruction: some StringProtocol, base: Int = 10) {
        let text = String(instruction).trimmed()
        if let drill = SortDrill(recognizing: text) {
            self = .sort(drill)
        } else if let drill = AddDrill(recognizing: text, base: base) {
            self = .add(drill)
        } else {
            return nil
        }
    }

    public var family: DrillFamily {
        switch self {
        case .sort: .sort
        case .add: .add
        }
    }

    private var task: any DrillTask {
        switch self {
        case .sort(let drill): drill
        case .add(let drill): drill
        }
    }

    public var instruction: String { task.instruction }

    /// The drafts from the first answer to the right one.
    public var drafts: [String] { task.drafts }

    /// The right answer.
    public var answer: String { task.drafts.last ?? "" }

    /// Whether a text is the right answer, white space around it aside.
    public func isCorrect(_ text: String) -> Bool {
        text.trimmed() == answer
    }

    /// The truthful feedback on a text.
    public func critique(of text: String) -> Critique {
        task.critique(of: text.trimmed())
    }

    /// The next draft after a text on the path; the right answer after any other.
    public func revision(of text: String) -> String {
        let drafts = task.drafts
        let text = text.trimmed()
        guard let place = drafts.lastIndex(of: text) else { return drafts.last ?? "" }
        return drafts[min(place + 1, drafts.count - 1)]
    }

    /// A judge's score: 10 for the right answer, else 1 to 9 by the share of right places, in halves.
    public func score(of text: String) -> Double {
        if isCorrect(text) { return 10 }
        let points = 1 + 8 * task.rightShare(of: text.trimmed())
        return (points * 2).rounded() / 2
    }

    /// The share of places where two sequences agree, out of the wanted one's length.
    static func rightShare<Element: Equatable>(_ found: [Element], of wanted: [Element]) -> Double {
        guard !wanted.isEmpty else { return 0 }
        let right = zip(found, wanted).count { $0 == $1 }
        return Double(right) / Double(wanted.count)
    }
}

extension StringProtocol {
    /// Without the white space around it.
    func trimmed() -> String {
        let bytes = utf8
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }) else { return "" }
        var end = bytes.endIndex
        var last = first
        for index in bytes[first...].indices where !isSpace(bytes[index]) { last = index }
        end = bytes.index(after: last)
        return String(self[first..<end])
    }
}
