public import FoundationEssentials
public import Tensors

/// A tensor as a file knows it.
public struct NamedTensor: Sendable {
    public let name: String
    public let shape: [Int]
    public let tensor: Tensor

    public init(name: String, shape: [Int], tensor: Tensor) {
        precondition(shape.reduce(1, *) == tensor.count, "\(shape) of \(tensor.count) numbers")
        self.name = name
        self.shape = shape
        self.tensor = tensor
    }
}

/// Writes model.safetensors, or model-00001-of-0000n.safetensors with an index.
public struct SafetensorsWriter {
    public let type: ElementType
    public let maximumShardBytes: Int

    public init(type: ElementType = .float32, maximumShardBytes: Int = .max) {
        self.type = type
        self.maximumShardBytes = maximumShardBytes
    }

    /// Writes the tensors into a folder that is there, in the order given.
    public func write(_ tensors: [NamedTensor], into folder: URL) throws {
        let shards = shards(of: tensors)
        guard shards.count > 1 else {
            try write(tensors, to: folder.appending(path: "model.safetensors"))
            return
        }
        var map: [String: String] = [:]
        for (index, shard) in shards.enumerated() {
            let name = "model-\(padded(index + 1))-of-\(padded(shards.count)).safetensors"
            try write(shard, to: folder.appending(path: name))
            for tensor in shard { map[tensor.name] = name }
        }
        let total = tensors.reduce(0) { $0 + $1.tensor.count * type.bytes }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let index = try encoder.encode(
            Index(metadata: ["total_size": total], weight_map: map))
        let file = try DurableFile(
            path: folder.appending(path: "model.safetensors.index.json").path)
        try file.write(Array(index) + [UInt8(ascii: "\n")])
        try file.close()
    }

    /// Writes one file; it is on the disk when this returns.
    public func write(_ tensors: [NamedTensor], to url: URL) throws {
        var header: [String: Header] = [:]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.tensor.count * type.bytes
            header[tensor.name] = Header(
                dtype: type == .float32 ? "F32" : "BF16", shape: tensor.shape,
                data_offsets: [offset, end])
            offset = end
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Readers of the "pt" format look for this entry.
        var json = Array(#"{"__metadata__":{"format":"pt"},"#.utf8)
        json += Array(try encoder.encode(header)).dropFirst()
        // Spaces at its end align the data.
        json += Array(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        let file = try DurableFile(path: url.path)
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json)
        for tensor in tensors { try file.write(tensor.tensor, as: type) }
        try file.close()
    }

    private struct Header: Encodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private struct Index: Encodable {
        var metadata: [String: Int]
        var weight_map: [String: String]
    }

    private func shards(of tensors: [NamedTensor]) -> [[NamedTensor]] {
        var shards: [[NamedTensor]] = [[]]
        var bytes = 0
        for tensor in tensors {
            let more = tensor.tensor.count * type.bytes
            if bytes + more > maximumShardBytes && bytes > 0 {
                shards.append([])
                bytes = 0
            }
            shards[shards.count - 1].append(tensor)
            bytes += more
        }
        return shards
    }

    private func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
