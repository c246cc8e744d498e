/// Gives the log-probability of each token after the first, and the likeliest at each place.
public struct ScoreProgram: SequenceProgram {
    private let ids: [Int32]
    private let top: Int
    private var place = 0
    /// Entry t is the log-probability of token t + 1.
    public private(set) var logProbabilities: [Float] = []
    /// Entry t are the likeliest tokens after token t; empty when none are asked for.
    public private(set) var likeliest: [[(id: Int32, logProbability: Float)]] = []

    public init(ids: [Int32], top: Int) {
        self.ids = ids
        self.top = top
    }

    public mutating func next(_ situation: SequenceSituation) -> SequenceCommand {
        if place > 0 { return .finish }
        if ids.isEmpty { return .fail(.emptyPrompt) }
        if let id = ids.first(where: { $0 < 0 || Int($0) >= situation.vocabularySize }) {
            return .fail(.unknownToken(id: Int(id), vocabulary: situation.vocabularySize))
        }
        return .feed(ids, wanted: .all)
    }

    public mutating func receive(_ logits: LogitRows) {
        for index in 0..<logits.count {
            let row = logits.row(index)
            let normalizer = LogProbability.normalizer(row)
            if place + 1 < ids.count {
                logProbabilities.append(row[row.startIndex + Int(ids[place + 1])] - normalizer)
            }
            if top > 0 {
                likeliest.append(LogProbability.top(top, of: row, normalizer: normalizer))
            }
            place += 1
        }
    }
}
