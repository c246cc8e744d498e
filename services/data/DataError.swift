package import Corpus
package import RPC
import Schema

/// What the data service refuses, or cannot do.
package enum DataError: Error, Sendable, Equatable, CustomStringConvertible {
    case noHeader
    case badName(String)
    case badFormat(String)
    case badOption(name: String, value: String, allowed: String)
    case noDataset(name: String, version: String)
    case ambiguousVersion(name: String, version: String, matches: Int)
    case noRows(format: String, rejected: Int, first: String)
    case notAChain(dataset: String, line: Int, reason: String)
    case badSplit(reason: String)
    case nothingToMerge
    case noArtifact(hash: String)
    case badHash(String)
    case wrongHash(expected: String, found: String)
    case wrongSize(expected: Int, found: Int)
    case gap(expected: Int, found: Int)
    case badOffset(offset: Int, bytes: Int)
    case damaged(hash: String, found: String)
    case noModel(name: String)
    case badModelPath(String)
    case corpus(CorpusError)
    case storage(path: String, reason: String)
    case inUse(path: String)

    package var description: String {
        switch self {
        case .noHeader: "the import's first message has no header; send one with name and format"
        case .badName(let name):
            "\"\(name)\" is no name; write 1 to 200 bytes without control characters, '@' and '/'"
        case .badFormat(let format): "\"\(format)\" is no format this service knows"
        case .badOption(let name, let value, let allowed):
            "the option \(name) is \"\(value)\"; allowed is \(allowed)"
        case .noDataset(let name, let version):
            "there is no dataset \(name)\(version.isEmpty ? "" : "@" + version); "
                + "hone data list shows what there is"
        case .ambiguousVersion(let name, let version, let matches):
            "\(name)@\(version) fits \(matches) versions; write more digits of the hash"
        case .noRows(let format, let rejected, let first):
            rejected == 0
                ? "the file holds no rows of \(format)"
                : "none of the \(rejected) rows is one of \(format); the first: \(first)"
        case .notAChain(let dataset, let line, let reason):
            "record \(line) of \(dataset) does not fit the format of the export: \(reason)"
        case .badSplit(let reason): reason
        case .nothingToMerge: "a merge needs at least one dataset"
        case .noArtifact(let hash): "there is no artifact \(hash)"
        case .badHash(let hash):
            "\"\(hash)\" is no SHA-256; write 64 hexadecimal digits in lower case"
        case .wrongHash(let expected, let found):
            "the bytes hash to \(found), announced was \(expected); send them again"
        case .wrongSize(let expected, let found):
            "\(found) bytes came, announced were \(expected); send them again"
        case .gap(let expected, let found):
            "a chunk begins at byte \(found), expected was byte \(expected)"
        case .badOffset(let offset, let bytes):
            "byte \(offset) lies outside the artifact, which has \(bytes) bytes"
        case .damaged(let hash, let found):
            "the file of artifact \(hash) was changed on the disk: it hashes to \(found)"
        case .noModel(let name): "there is no model \(name)"
        case .badModelPath(let path):
            "\"\(path)\" is no path inside a model's folder; write it like config.json"
        case .corpus(let error): error.description
        case .storage(let path, let reason): "\(path): \(reason)"
        case .inUse(let path): "\(path) is in use by another data service; end it first"
        }
    }
}

extension DataError: StatusConvertible {
    package var status: Status {
        guard let field else { return Status(code, description) }
        return .invalid(
            description, domain: DataAPI.service, [FieldViolation(field, description)])
    }

    /// The field of the request that is wrong; nil where it is none of one.
    private var field: String? {
        switch self {
        case .noHeader: "header"
        case .badName: "name"
        case .badFormat: "format"
        case .badOption(let name, _, _): "options.\(name)"
        case .nothingToMerge: "inputs"
        case .badHash: "hash"
        case .wrongHash: "artifact.hash"
        case .wrongSize: "artifact.bytes"
        case .gap: "offset"
        case .badModelPath: "files.path"
        case .ambiguousVersion: "version"
        default: nil
        }
    }

    private var code: Status.Code {
        switch self {
        case .noHeader, .badName, .badFormat, .badOption, .noRows, .badSplit, .nothingToMerge,
            .badHash, .wrongHash, .wrongSize, .gap, .badModelPath, .ambiguousVersion:
            .invalidArgument
        case .noDataset, .noArtifact, .noModel: .notFound
        case .notAChain, .inUse: .failedPrecondition
        case .badOffset: .outOfRange
        case .damaged: .dataLoss
        case .storage: .internal
        case .corpus(.file): .internal
        case .corpus: .invalidArgument
        }
    }
}
