package import Corpus
import Revising
import Synchronization

/// One example of the input.
package struct TaskRecord: Sendable {
    /// Counted from 0 in the input.
    package var item: Int
    package var line: Int
    package var json: JSON
    /// Hash of the record: the same place with other content is another example.
    package var hash: String

    /// The example; a field of the wrong kind is an error.
    ///
    /// - Parameter mode: the original demands `input`, even an empty one.
    func task(_ mode: Revising.ChainMode) throws(AugmentationError) -> AugmentationTask {
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
    var failLine: [UInt8] { json.line(.python) }
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
            let json = try record.parse()
            return TaskRecord(
                item: state.handedOut, line: record.line, json: json,
                hash: SHA256.hexadecimal(of: json.bytes()))
        }
    }

    /// How many examples there are, limit applied, for the progress bar.
    package static func count(path: String, limit: Int?) throws -> Int {
        let reader = try FileReader(path: path)
        var splitter = JSONRecordSplitter()
        var count = 0
        while count < limit ?? .max {
            let bytes = try reader.read()
            if bytes.isEmpty {
                if try splitter.finish() != nil { count += 1 }
                break
            }
            count += try splitter.push(bytes).count
        }
        return min(count, limit ?? .max)
    }
}
