import Corpus
import FoundationEssentials
import Tokenization

// What a model's folder says beside its configuration and its weights.
extension LoadedModel {
    private struct GenerationFile: Decodable {
        var endTokens: [Int]

        enum CodingKeys: String, CodingKey {
            case endTokens = "eos_token_id"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            if let one = try? container.decode(Int.self, forKey: .endTokens) {
                endTokens = [one]
            } else {
                endTokens = try container.decodeIfPresent([Int].self, forKey: .endTokens) ?? []
            }
        }
    }

    /// The tokens that generation_config.json says end a text; chat models name theirs only there.
    static func generationEnds(in folder: String) throws -> [TokenID] {
        let path = folder + "/generation_config.json"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            let file = try JSONDecoder().decode(
                GenerationFile.self, from: Data(try FileReader.bytes(of: path)))
            return file.endTokens.compactMap { TokenID(exactly: $0) }
        } catch is DecodingError {
            throw InferenceError.badFile(
                path: path, cause: "it is no JSON object whose eos_token_id is a number or a list")
        }
    }

    private static let sampleBytes = 1 << 20

    /// A hash by which another model in the same folder is noticed: of the names and sizes of its
    /// files, of small ones whole, and of both ends of large ones.
    func fingerprint() throws -> String {
        var hash = SHA256()
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        for name in names
        where name.hasSuffix(".json") || name.hasSuffix(".safetensors")
            || name.hasSuffix(".model") || name.hasSuffix(".tiktoken")
        {
            let reader = try FileReader(path: path + "/" + name)
            let count = try reader.byteCount()
            hash.update(Array("\(name) \(count)\n".utf8))
            hash.update(try Self.bytes(reader, Self.sampleBytes))
            if count > Self.sampleBytes {
                try reader.seek(to: max(Self.sampleBytes, count - Self.sampleBytes))
                hash.update(try Self.bytes(reader, Self.sampleBytes))
            }
        }
        return hash.finish()
    }

    private static func bytes(_ reader: FileReader, _ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try reader.read(upTo: count - bytes.count)
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }
}
