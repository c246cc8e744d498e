public import FoundationEssentials
public import Tensors

// A safetensors file:
//
//     0        8               8 + n                                    end
//     | n: u64 | header: JSON  | the tensors' bytes, without gaps        |
//
// The header maps a name to {"dtype", "shape", "data_offsets": [begin, end]}, counted from the
// end of the header; "__metadata__" maps texts to texts. Numbers are little-endian.

/// One safetensors file, its header checked.
public final class SafetensorsFile: Sendable {
    public struct Entry: Sendable, Equatable {
        public let type: ElementType
        public let shape: [Int]
        /// In the file.
        let offset: Int
        public var count: Int { shape.reduce(1, *) }
    }

    public let path: String
    public let entries: [String: Entry]
    private let file: MappedFile

    /// No header of a real model comes near it.
    private static let maximumHeaderBytes = 100_000_000

    public init(_ url: URL) throws(LlamaError) {
        path = url.path
        do {
            file = try MappedFile(path: url.path)
        } catch {
            throw .unreadable(file: url.path, reason: error.description)
        }
        let header = try SafetensorsFile.header(of: file)
        let raw: [String: RawEntry]
        do {
            raw = try JSONDecoder().decode([String: RawEntry].self, from: Data(header))
        } catch {
            throw .header(file: url.path, problem: "its header is not the expected JSON: \(error)")
        }
        let start = 8 + header.count
        var entries: [String: Entry] = [:]
        for (name, entry) in raw where name != "__metadata__" {
            entries[name] = try entry.checked(
                file: url.path, name: name, start: start, dataBytes: file.count - start)
        }
        try SafetensorsFile.checkCoverage(
            entries, file: url.path, start: start, end: file.count)
        self.entries = entries
    }

    /// Reads a tensor; one of a single dimension becomes one row.
    public func read(_ name: String) throws(LlamaError) -> Tensor {
        guard let entry = entries[name] else {
            throw .tensor(file: path, name: name, problem: "is not in the file")
        }
        let columns = entry.shape.last ?? 1
        let tensor = Tensor(rows: columns == 0 ? 0 : entry.count / columns, columns: columns)
        try read(name, into: tensor)
        return tensor
    }

    /// Reads a tensor into memory of as many floats.
    public func read(_ name: String, into tensor: Tensor) throws(LlamaError) {
        guard let entry = entries[name] else {
            throw .tensor(file: path, name: name, problem: "is not in the file")
        }
        guard entry.count == tensor.count else {
            throw .tensor(
                file: path, name: name,
                problem: "has shape \(entry.shape), not \(tensor.count) numbers")
        }
        do {
            try file.read(entry.type, at: entry.offset, into: tensor)
        } catch {
            throw .tensor(file: path, name: name, problem: error.description)
        }
    }

    private static func header(of file: MappedFile) throws(LlamaError) -> [UInt8] {
        func bytes(_ range: Range<Int>, _ what: String) throws(LlamaError) -> [UInt8] {
            do {
                return try file.bytes(range)
            } catch {
                throw .header(
                    file: file.path, problem: "it ends after \(file.count) bytes, inside \(what)")
            }
        }
        let length = try bytes(0..<8, "the length of its header")
            .reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(maximumHeaderBytes) else {
            throw .header(
                file: file.path,
                problem: "its header claims \(length) bytes, more than \(maximumHeaderBytes)")
        }
        return try bytes(8..<8 + Int(length), "its header of \(length) bytes")
    }

    /// The format wants every byte to belong to exactly one tensor.
    private static func checkCoverage(
        _ entries: [String: Entry], file: String, start: Int, end: Int
    ) throws(LlamaError) {
        var position = start
        for (name, entry) in entries.sorted(by: {
            ($0.value.offset, $0.value.count, $0.key) < ($1.value.offset, $1.value.count, $1.key)
        }) {
            guard entry.offset == position else {
                throw .tensor(
                    file: file, name: name,
                    problem: "begins at data offset \(entry.offset - start), "
                        + (entry.offset < position ? "inside" : "with a gap after")
                        + " the one before, which ends at \(position - start)")
            }
            position += entry.count * entry.type.bytes
        }
        guard position == end else {
            throw .header(
                file: file, problem: "\(end - position) bytes at its end belong to no tensor")
        }
    }
}

private struct RawEntry: Decodable {
    var dtype: String?
    var shape: [Int]?
    var data_offsets: [Int]?

    private static let types: [String: ElementType] = [
        "F32": .float32, "BF16": .bfloat16, "F16": .float16,
    ]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        // The metadata entry has keys of its own and none of these.
        dtype = try container.decodeIfPresent(String.self, forKey: .dtype)
        shape = try? container.decodeIfPresent([Int].self, forKey: .shape)
        data_offsets = try? container.decodeIfPresent([Int].self, forKey: .data_offsets)
    }

    private enum Key: CodingKey { case dtype, shape, data_offsets }

    func checked(
        file: String, name: String, start: Int, dataBytes: Int
    ) throws(LlamaError) -> SafetensorsFile.Entry {
        func wrong(_ problem: String) -> LlamaError {
            .tensor(file: file, name: name, problem: problem)
        }
        guard let dtype, let type = RawEntry.types[dtype] else {
            throw wrong("has dtype \(dtype ?? "none"); F32, BF16 and F16 are known")
        }
        guard let shape, shape.allSatisfy({ $0 >= 0 }) else {
            throw wrong("has no valid shape")
        }
        var bytes = type.bytes
        for side in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: side)
            if overflow { throw wrong("has an impossible shape \(shape)") }
            bytes = product
        }
        guard let offsets = data_offsets, offsets.count == 2, offsets[0] >= 0,
            offsets[0] <= offsets[1], offsets[1] <= dataBytes
        else {
            throw wrong("has data_offsets \(data_offsets ?? []) in \(dataBytes) bytes of data")
        }
        guard offsets[1] - offsets[0] == bytes else {
            throw wrong(
                "has \(offsets[1] - offsets[0]) bytes, but shape \(shape) of \(dtype) needs \(bytes)"
            )
        }
        return SafetensorsFile.Entry(type: type, shape: shape, offset: start + offsets[0])
    }
}
