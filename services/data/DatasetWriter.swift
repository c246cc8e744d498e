import Corpus
import Schema

/// Gathers the records of a new version: their bytes, what they hold, and what was refused.
final class DatasetWriter {
    private let store: ArtifactStore
    private let records: ArtifactWriter
    private var rejects: ArtifactWriter?
    private var statistics = CorpusStatistics(countsDuplicates: false)
    private var counts = ImportCounts()
    private var firstRejection: Rejection?

    init(store: ArtifactStore) throws {
        self.store = store
        records = try store.writer()
    }

    var recordCount: Int { statistics.records }
    var rejectedCount: Int { counts.rejectedCount }
    var firstReason: String { firstRejection.map { "\($0.reason.rawValue), \($0.detail)" } ?? "" }

    /// Adds a record.
    ///
    /// - Parameter bytes: the record on one line, without a newline.
    func add(_ record: JSON, bytes: [UInt8]) throws {
        statistics.add(record)
        try records.write(bytes + [0x0A])
    }

    /// Takes an import's outcomes; `label` goes into every record where it is not empty.
    func add(_ outcomes: [ImportOutcome], label: String) throws {
        for outcome in outcomes {
            counts.add(outcome)
            switch outcome {
            case .kept(let record) where label.isEmpty:
                try add(record.json, bytes: record.bytes)
            case .kept(let record):
                let labelled = CorpusMerge.labelled(record.json, label)
                try add(labelled, bytes: labelled.bytes(.python))
            case .rejected(let rejection):
                if firstRejection == nil { firstRejection = rejection }
                if rejects == nil { rejects = try store.writer() }
                try rejects?.write(rejection.json.line())
            }
        }
    }

    /// Brings everything to the disk.
    func finish() throws -> Content {
        var message = Mapping.statistics(statistics, counts)
        if let rejected = try rejects?.finish() {
            message.rejectedRows = Mapping.artifact(rejected, mediaType: "application/jsonl")
        }
        return Content(
            records: try records.finish(), statistics: message, count: statistics.records)
    }

    /// What a version consists of.
    struct Content {
        let records: StoredArtifact
        let statistics: DatasetStatistics
        let count: Int
    }
}
