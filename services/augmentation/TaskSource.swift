import Corpus
import Revising
import Synchronization

/// One example of the input.
package struct TaskRecord: Sendable {
    /// Counted from 0 in the input.
    package var item: Int
    package var line: Int
    private let json: JSON?
    /// As it stands in the input.
    private let bytes: [UInt8]
    /// Hash of the record: the same place with other content is another example.
    package var hash: String

    /// - Throws: where the record is no JSON. Half a surrogate pair, which Python reads, makes a record
    ///   without fields instead: it fails alone.
    init(_ record: JSONRecordSplitter.Record, item: Int) throws(JSONError) {
        self.item = item
        line = record.line
        bytes = record.bytes
        json = try Self.parse(record)
        hash = SHA256.hexadecimal(of: json?.bytes() ?? record.bytes)
    }

    fileprivate static func parse(
        _ record: JSONRecordSplitter.Record
    ) throws(JSONError) -> JSON? {
        do {
            return try record.parse()
        } catch {
            guard error.cause == .loneSurrogate else { throw error }
            return nil
        }
    }

    /// The example; a field of the wrong kind is an error.
    ///
    /// - Parameter mode: the original demands `input`, even an empty one.
    func task(_ mode: Revising.ChainMode) throws(AugmentationError) -> AugmentationTask {
        guard let json else {
            throw .badTask(
                line: line, reason: "it holds half of a surrogate pair, which is no text")
        }
        guard let instruction = json["instruction"]?.stringValue else {
            throw .badTask(line: line, reason: "it has no string \"instruction\"")
        }
        let input = json["input"]?.stringValue
        if input == nil, mode == .selfee || !(json["input"]?.isNull ?? true) {
            throw .badTask(line: line, reason: "it has no string \"input\"")
        }
        return AugmentationTask(
            instruction: instruction, input: input ?? "", output: json["output"]?.stringValue)
    }

    /// The record as the original writes it to the fail file.
    var failLine: [UInt8] {
        if let json { return json.line(.python) }
        // Line breaks stand between the parts of a record alone, never inside a string.
        let space = UInt8(ascii: " ")
        return bytes.map { $0 == 0x0A || $0 == 0x0D ? space : $0 } + [0x0A]
    }
}

/// Reads examples one after the other, shared by all workers; array or lines, in constant memory.
package final class TaskSource: Sendable {
    private struct State {
        let reader: FileReader
        var splitter = JSONRecordSplitter()
        /// Read and not yet handed out, the next one last.
        var pending: [JSONRecordSplitter.Record] = []
        var handedOut = 0
        var isOver = false
    }

    private let path: String
    private let limit: Int
    private let state: Mutex<State>

    package init(path: String, limit: Int?) throws(AugmentationError) {
        self.path = path
        self.limit = limit ?? .max
        do {
            state = Mutex(State(reader: try FileReader(path: path)))
        } catch {
            throw .file(path: path, reason: "\(error)")
        }
    }

    /// The next example; nil at the end or the limit.
    package func next() throws -> TaskRecord? {
        try state.withLock { state in
            guard state.handedOut < limit else { return nil }
            while state.pending.isEmpty {
                guard !state.isOver else { return nil }
                let bytes = try state.reader.read()
                state.isOver = bytes.isEmpty
                let records =
                    bytes.isEmpty
                    ? try state.splitter.finish().map { [$0] } ?? []
                    : try state.splitter.push(bytes)
                state.pending = records.reversed()
            }
            let record = state.pending.removeLast()
            defer { state.handedOut += 1 }
            return try TaskRecord(record, item: state.handedOut)
        }
    }

    /// How many examples there are, limit applied.
    ///
    /// - Throws: where one of them is no JSON: better now than after the teacher was paid.
    package static func count(path: String, limit: Int?) throws -> Int {
        let reader = try FileReader(path: path)
        var splitter = JSONRecordSplitter()
        let limit = limit ?? .max
        var count = 0
        while count < limit {
            let bytes = try reader.read()
            let records =
                try bytes.isEmpty ? splitter.finish().map { [$0] } ?? [] : splitter.push(bytes)
            for record in records.prefix(limit - count) {
                _ = try TaskRecord.parse(record)
                count += 1
            }
            if bytes.isEmpty { break }
        }
        return count
    }
}
