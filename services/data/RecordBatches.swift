import Corpus
import Schema

/// The records of a version, read a piece of the file at a time.
struct RecordBatches {
    private let reader: FileReader
    private var splitter = JSONRecordSplitter()
    private var number = 0
    private var isAtEnd = false

    /// One record as it is kept.
    struct Record {
        let json: JSON
        let bytes: [UInt8]
        /// Counted from 1.
        let number: Int
    }

    init(_ reader: FileReader) {
        self.reader = reader
    }

    /// The next few records; nil after the last.
    mutating func next() throws -> [Record]? {
        try Task.checkCancellation()
        if isAtEnd { return nil }
        do {
            let bytes = try reader.read()
            isAtEnd = bytes.isEmpty
            let rows = try isAtEnd ? splitter.finish().map { [$0] } ?? [] : splitter.push(bytes)
            return try rows.map { row in
                number += 1
                return Record(json: try row.parse(), bytes: row.bytes, number: number)
            }
        } catch let error as CorpusError {
            throw DataError.corpus(error)
        } catch let error as JSONError {
            throw DataError.corpus(.stream(error))
        }
    }
}

extension DataStore {
    /// Calls `body` with each record of a version in order; memory depends on the longest alone.
    func forEachRecord(
        of version: DatasetVersion, _ body: (RecordBatches.Record) throws -> Void
    ) throws {
        var batches = RecordBatches(try artifacts.open(version.artifact.hash))
        while let batch = try batches.next() {
            for record in batch { try body(record) }
        }
    }
}
