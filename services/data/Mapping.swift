import Corpus
import Schema

/// Between the messages of the wire and the types of the corpus.
enum Mapping {
    static func format(_ format: DatasetFormat) throws(DataError) -> RecordFormat {
        switch format {
        case .alpaca: .alpaca
        case .sharegpt: .sharegpt
        case .gsm8k: .gsm8k
        case .mbpp: .mbpp
        case .conala: .conala
        case .aqua: .aqua
        case .math: .math
        case .flan: .flan
        case .selfee: .chains
        case .chat: .chat
        case .questions: .questions
        case .answers: .answers
        case .reviews: .reviews
        case .drrepair: .drrepair
        case .prompts: .prompts
        case .reviewers: .reviewers
        case .lines: .lines
        case .unspecified, .unknown: throw .badFormat("\(format)")
        }
    }

    static func options(_ header: ImportHeader) throws(DataError) -> ImportOptions {
        // The original keeps English conversations alone, and says so nowhere: so it is here.
        var options = ImportOptions(englishOnly: header.englishOnly || header.format == .sharegpt)
        for (name, value) in header.options {
            switch name {
            case "pair":
                guard let rule = ImportOptions.PairRule(rawValue: value) else {
                    throw .badOption(name: name, value: value, allowed: "human or original")
                }
                options.pairRule = rule
            case "language":
                guard ["english", "any"].contains(value) else {
                    throw .badOption(name: name, value: value, allowed: "english or any")
                }
                options.englishOnly = value == "english"
            case "questions": options.dropsQuestions = try drops(name, value)
            case "duplicates": options.dropsDuplicates = try drops(name, value)
            case "limit":
                guard let limit = Int(value), limit > 0 else {
                    throw .badOption(name: name, value: value, allowed: "a number above 0")
                }
                options.limit = limit
            default:
                throw .badOption(
                    name: name, value: value,
                    allowed: "one of pair, language, questions, duplicates and limit")
            }
        }
        return options
    }

    private static func drops(_ name: String, _ value: String) throws(DataError) -> Bool {
        switch value {
        case "drop": return true
        case "keep": return false
        default: throw .badOption(name: name, value: value, allowed: "keep or drop")
        }
    }

    static func statistics(
        _ corpus: CorpusStatistics, _ counts: ImportCounts
    ) -> DatasetStatistics {
        var statistics = DatasetStatistics()
        statistics.examples = corpus.records
        statistics.chains = corpus.chains
        statistics.drafts = corpus.drafts
        statistics.iterations = corpus.iterations.map { UInt64($0) }
        statistics.truncated = corpus.truncated
        statistics.labels = corpus.labels
        for (reason, count) in counts.rejected { statistics.rejected[reason.rawValue] = count }
        statistics.meanIterations = corpus.meanIterations
        statistics.notNeeded = corpus.enforceable
        statistics.characters = corpus.characters
        statistics.measures = measures(corpus)
        return statistics
    }

    private static func measures(_ corpus: CorpusStatistics) -> [String: Double] {
        var measures: [String: Double] = [:]
        func add(_ name: String, _ lengths: LengthStatistics) {
            guard lengths.count > 0 else { return }
            measures["\(name).mean"] = lengths.mean
            measures["\(name).p99"] = Double(lengths.quantile(0.99))
            measures["\(name).maximum"] = Double(lengths.maximum)
        }
        add("instruction.characters", corpus.instructionLengths)
        add("gold.characters", corpus.goldLengths)
        add("answer.characters", corpus.firstAnswerLengths)
        add("revision.characters", corpus.revisionLengths)
        add("feedback.characters", corpus.feedbackLengths)
        add("feedback.words", corpus.feedbackWords)
        guard corpus.chains > 0 else { return measures }
        measures["feedbacks"] = Double(corpus.feedbacks)
        measures["feedbacks.notNeeded.exact"] = Double(corpus.exactNotNeeded)
        measures["feedbacks.notNeeded"] = Double(corpus.notNeeded)
        measures["feedbacks.needed"] = Double(corpus.needed)
        measures["revisions.identical"] = Double(corpus.identicalRevisions)
        measures["texts.withHeading"] = Double(corpus.headingsInText)
        measures["outputs.empty"] = Double(corpus.emptyOutputs)
        return measures
    }

    static func artifact(_ stored: StoredArtifact, mediaType: String) -> Artifact {
        var artifact = Artifact()
        artifact.hash = stored.hash
        artifact.bytes = stored.bytes
        artifact.mediaType = mediaType
        return artifact
    }
}
