import Corpus
import RPC
import Schema

/// Writes a version out as a file, in parts.
struct ExportStream {
    private let version: DatasetVersion
    private let form: Form
    private let responses: ResponseWriter<ArtifactChunk>
    private var array: RecordArrayWriter?
    private var pending: [UInt8] = []
    private var offset = 0
    private var isBegun = false

    static let chunkBytes = 1 << 18

    private enum Form { case chainLines, chainArray, exampleArray, lines }

    init(
        _ version: DatasetVersion, _ format: ExportFormat,
        _ responses: ResponseWriter<ArtifactChunk>
    ) throws(DataError) {
        self.version = version
        self.responses = responses
        switch format {
        case .selfeeLines: form = .chainLines
        case .selfeeArray:
            form = .chainArray
            array = RecordArrayWriter(style: .pythonArray)
        case .alpacaArray:
            form = .exampleArray
            array = RecordArrayWriter(style: .pythonIndented)
        case .lines: form = .lines
        case .unspecified, .unknown: throw .badFormat("\(format)")
        }
    }

    mutating func run(_ store: DataStore) async throws {
        var records = RecordBatches(try store.artifacts.open(version.artifact.hash))
        while let batch = try records.next() {
            for record in batch {
                pending += try bytes(of: record)
                if pending.count >= Self.chunkBytes { try await send() }
            }
        }
        if let array { pending += array.end() }
        try await send()
    }

    private mutating func bytes(of record: RecordBatches.Record) throws -> [UInt8] {
        switch form {
        case .lines: return record.bytes + [0x0A]
        case .chainLines:
            try check(record) { () throws(CorpusError) in _ = try Chain(record.json) }
            return record.bytes + [0x0A]
        case .chainArray:
            try check(record) { () throws(CorpusError) in _ = try Chain(record.json) }
            return array?.element(record.bytes) ?? []
        case .exampleArray:
            var example = record.json
            try check(record) { () throws(CorpusError) in
                example = try Self.example(record.json, line: record.number)
            }
            return array?.element(example.bytes(.python(indent: 4))) ?? []
        }
    }

    /// An Alpaca row: of a chain the last draft is the output.
    private static func example(_ json: JSON, line: Int) throws(CorpusError) -> JSON {
        if json["outputs"] != nil {
            let chain = try Chain(json, line: line)
            return Example(
                instruction: chain.instruction, input: chain.input,
                output: chain.drafts.last?.output ?? ""
            ).json
        }
        let example = try Example(json, line: line)
        return Example(
            instruction: example.instruction, input: example.input, output: example.output ?? ""
        ).json
    }

    private func check(
        _ record: RecordBatches.Record, _ body: () throws(CorpusError) -> Void
    ) throws(DataError) {
        do {
            try body()
        } catch {
            throw .notAChain(
                dataset: version.name, line: record.number, reason: error.description)
        }
    }

    private mutating func send() async throws {
        guard !pending.isEmpty || !isBegun else { return }
        var chunk = ArtifactChunk()
        if !isBegun {
            var artifact = Artifact()
            artifact.mediaType = array == nil ? "application/jsonl" : "application/json"
            chunk.artifact = artifact
            isBegun = true
        }
        chunk.offset = offset
        chunk.data = pending
        offset += pending.count
        pending = []
        try await responses.write(chunk)
    }
}
