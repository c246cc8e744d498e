/// What a dataset holds, counted record by record.
///
/// Lengths are in Unicode scalars, words between white space, as the original's authors' tables
/// count them. Phrases of verdicts are counted as text, without judging what they mean.
public struct CorpusStatistics: Sendable, Hashable {
    public private(set) var records = 0
    public private(set) var chains = 0
    public private(set) var drafts = 0
    /// How many chains have 1, 2, 3 … drafts.
    public private(set) var iterations: [Int] = []
    public private(set) var truncated = 0
    public private(set) var labels: [String: Int] = [:]
    public private(set) var feedbacks = 0
    /// Feedbacks that hold exactly `Revision is not needed`.
    public private(set) var exactNotNeeded = 0
    /// Feedbacks that hold it in any case of letters.
    public private(set) var notNeeded = 0
    /// Feedbacks that hold `revision is needed`, in any case; "no revision is needed" among them.
    public private(set) var needed = 0
    /// Chains whose last feedback the original's enforcer would recognise as final.
    public private(set) var enforceable = 0
    public private(set) var duplicateInstructions = 0
    public private(set) var identicalRevisions = 0
    /// Records with `###` inside one of their texts.
    public private(set) var headingsInText = 0
    public private(set) var emptyOutputs = 0

    public private(set) var instructionLengths = LengthStatistics()
    public private(set) var goldLengths = LengthStatistics()
    public private(set) var firstAnswerLengths = LengthStatistics()
    public private(set) var revisionLengths = LengthStatistics()
    public private(set) var feedbackLengths = LengthStatistics()
    public private(set) var feedbackWords = LengthStatistics()

    /// Characters of all texts, keys not counted.
    public private(set) var characters = 0

    private let countsDuplicates: Bool
    private var instructions: Set<String> = []

    /// - Parameter countsDuplicates: remember a hash of every instruction; without, memory does not
    ///   grow with the number of records, and `duplicateInstructions` stays 0.
    public init(countsDuplicates: Bool = true) {
        self.countsDuplicates = countsDuplicates
    }

    public var meanIterations: Double {
        chains == 0 ? 0 : Double(drafts) / Double(chains)
    }

    public mutating func add(_ record: JSON) {
        records += 1
        if let label = record["dataset"]?.stringValue { labels[label, default: 0] += 1 }
        if let instruction = record["instruction"]?.stringValue {
            instructionLengths.add(instruction.unicodeScalars.count)
            if countsDuplicates,
                !instructions.insert(SHA256.hexadecimal(of: instruction)).inserted
            {
                duplicateInstructions += 1
            }
        }
        if let gold = record["output"]?.stringValue { goldLengths.add(gold.unicodeScalars.count) }
        if record["outputs"] != nil, let chain = try? Chain(record) { add(chain) }
        let texts = Self.texts(of: record)
        characters += texts.reduce(0) { $0 + $1.unicodeScalars.count }
        if texts.contains(where: { $0.contains("###") }) { headingsInText += 1 }
    }

    private mutating func add(_ chain: Chain) {
        chains += 1
        drafts += chain.drafts.count
        while iterations.count < chain.drafts.count { iterations.append(0) }
        iterations[chain.drafts.count - 1] += 1
        if chain.iterationTruncated { truncated += 1 }
        if let last = chain.drafts.last?.feedback,
            Self.enforcedPhrases.contains(where: last.contains)
        {
            enforceable += 1
        }
        for (index, draft) in chain.drafts.enumerated() {
            let length = draft.output.unicodeScalars.count
            if length == 0 { emptyOutputs += 1 }
            if index == 0 {
                firstAnswerLengths.add(length)
            } else {
                revisionLengths.add(length)
                let isSame = draft.output.utf8.elementsEqual(chain.drafts[index - 1].output.utf8)
                if isSame { identicalRevisions += 1 }
            }
            if let feedback = draft.feedback { add(feedback: feedback) }
        }
    }

    private mutating func add(feedback: String) {
        feedbacks += 1
        feedbackLengths.add(feedback.unicodeScalars.count)
        feedbackWords.add(feedback.unicodeScalars.split { $0.properties.isWhitespace }.count)
        if feedback.contains("Revision is not needed") { exactNotNeeded += 1 }
        let lowered = feedback.lowercased()
        if lowered.contains("revision is not needed") { notNeeded += 1 }
        if lowered.contains("revision is needed") { needed += 1 }
    }

    private static func texts(of record: JSON) -> [String] {
        switch record {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(texts)
        case .object(let object): object.flatMap { texts(of: $0.value) }
        default: []
        }
    }

    /// The six strings the original's enforcer looks for.
    private static let enforcedPhrases = [
        "Revision is not needed", "revision is not needed", "No revision is needed",
        "no revision is needed", "No revisions needed", "no revisions needed",
    ]
}

/// Lengths of one kind of text.
public struct LengthStatistics: Sendable, Hashable {
    private var lengths: [Int: Int] = [:]
    public private(set) var count = 0
    public private(set) var total = 0
    public private(set) var maximum = 0

    public init() {}

    public var mean: Double { count == 0 ? 0 : Double(total) / Double(count) }

    public mutating func add(_ length: Int) {
        lengths[length, default: 0] += 1
        count += 1
        total += length
        maximum = max(maximum, length)
    }

    /// The length that stands at `fraction` of the sorted lengths.
    public func quantile(_ fraction: Double) -> Int {
        var rank = Int(fraction * Double(count))
        for length in lengths.keys.sorted() {
            rank -= lengths[length, default: 0]
            if rank < 0 { return length }
        }
        return maximum
    }
}
