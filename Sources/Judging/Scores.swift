/// What a judge gave the two answers it saw, in the order it saw them.
public struct Scores: Sendable, Equatable, CustomStringConvertible {
    public var first: Double
    public var second: Double

    public init(_ first: Double, _ second: Double) {
        self.first = first
        self.second = second
    }

    /// The scale every prompt of the judge names.
    public static let scale: ClosedRange<Double> = 1...10

    /// What the original writes where it found no scores.
    public static let none = Scores(-1, -1)

    /// Whether these are scores at all: a row without any says -1 and -1.
    public var isPresent: Bool { first >= 0 && second >= 0 }

    public var swapped: Scores { Scores(second, first) }

    public var description: String { "\(first) \(second)" }
}

/// The winner among the two answers of one review.
public enum Outcome: String, Sendable, Equatable, CaseIterable {
    case win, tie, loss

    /// How `model` did against `opponent`.
    public init(of model: Double, against opponent: Double) {
        self = model > opponent ? .win : model < opponent ? .loss : .tie
    }
}
