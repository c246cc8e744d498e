public import Wire

/// The form of a file that is read.
public enum DatasetFormat: WireEnum {
    case unspecified, alpaca, sharegpt, gsm8k, mbpp, conala, aqua, math, flan, selfee, chat,
        questions, answers, reviews
    case unknown(UInt64)
    public static let wireName = "hone.data.DatasetFormat"
    public static let known: [Self] = [
        .unspecified, .alpaca, .sharegpt, .gsm8k, .mbpp, .conala, .aqua, .math, .flan, .selfee,
        .chat, .questions, .answers, .reviews,
    ]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// The form of a file that is written.
public enum ExportFormat: WireEnum {
    case unspecified, selfeeLines, selfeeArray, alpacaArray, lines
    case unknown(UInt64)
    public static let wireName = "hone.data.ExportFormat"
    public static let known: [Self] = [
        .unspecified, .selfeeLines, .selfeeArray, .alpacaArray, .lines,
    ]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// What to make of the bytes that follow.
public struct ImportHeader: WireMessage {
    public static let wireName = "hone.data.ImportHeader"
    public var name = ""
    public var format = DatasetFormat.unspecified
    public var label = ""
    public var englishOnly = false
    public var options: [String: String] = [:]

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.enumeration(2, "format", &format)
        coder.string(3, "label", &label)
        coder.bool(4, "englishOnly", &englishOnly)
        coder.map(5, "options", &options)
    }
}

/// A part of an import.
public struct ImportRequest: WireMessage {
    public static let wireName = "hone.data.ImportRequest"
    public var header: ImportHeader?
    public var data: [UInt8] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "header", &header)
        coder.bytes(2, "data", &data)
    }
}

/// Names a dataset.
public struct DatasetReference: WireMessage {
    public static let wireName = "hone.data.DatasetReference"
    public var name = ""
    public var version = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.string(2, "version", &version)
    }
}

/// One version of a dataset: it never changes.
public struct DatasetVersion: WireMessage {
    public static let wireName = "hone.data.DatasetVersion"
    public var name = ""
    public var version = ""
    public var examples = 0
    public var bytes = 0
    public var createdAtMilliseconds = 0
    public var format = DatasetFormat.unspecified
    public var parents: [String] = []
    public var label = ""
    public var artifact = Artifact()

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.string(2, "version", &version)
        coder.uint(3, "examples", &examples)
        coder.uint(4, "bytes", &bytes)
        coder.uint(5, "createdAtMilliseconds", &createdAtMilliseconds)
        coder.enumeration(6, "format", &format)
        coder.repeated(7, "parents", &parents)
        coder.string(8, "label", &label)
        coder.message(9, "artifact", &artifact)
    }
}

/// One dataset that goes into a merge.
public struct MergeInput: WireMessage {
    public static let wireName = "hone.data.MergeInput"
    public var dataset = DatasetReference()
    public var label = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "dataset", &dataset)
        coder.string(2, "label", &label)
    }
}

/// Asks for a merge.
public struct MergeRequest: WireMessage {
    public static let wireName = "hone.data.MergeRequest"
    public var name = ""
    public var inputs: [MergeInput] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.repeated(2, "inputs", &inputs)
    }
}

/// Asks for a split; `fraction` or `count` says how large the first part is.
public struct SplitRequest: WireMessage {
    public static let wireName = "hone.data.SplitRequest"
    public var dataset = DatasetReference()
    public var fraction = 0.0
    public var count = 0
    public var seed = 0
    public var names: [String] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "dataset", &dataset)
        coder.f64(2, "fraction", &fraction)
        coder.uint(3, "count", &count)
        coder.uint(4, "seed", &seed)
        coder.repeated(5, "names", &names)
    }
}

/// Asks for a dataset as a file.
public struct ExportRequest: WireMessage {
    public static let wireName = "hone.data.ExportRequest"
    public var dataset = DatasetReference()
    public var format = ExportFormat.unspecified

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "dataset", &dataset)
        coder.enumeration(2, "format", &format)
    }
}

/// What a dataset holds.
public struct DatasetStatistics: WireMessage {
    public static let wireName = "hone.data.DatasetStatistics"
    public var examples = 0
    public var chains = 0
    public var drafts = 0
    public var iterations: [UInt64] = []
    public var truncated = 0
    public var labels: [String: Int] = [:]
    public var rejected: [String: Int] = [:]
    public var meanIterations = 0.0
    public var notNeeded = 0
    public var characters = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "examples", &examples)
        coder.uint(2, "chains", &chains)
        coder.uint(3, "drafts", &drafts)
        coder.packed(4, "iterations", &iterations)
        coder.uint(5, "truncated", &truncated)
        coder.map(6, "labels", &labels)
        coder.map(7, "rejected", &rejected)
        coder.f64(8, "meanIterations", &meanIterations)
        coder.uint(9, "notNeeded", &notNeeded)
        coder.uint(10, "characters", &characters)
    }
}

/// Asks which datasets there are.
public struct DatasetQuery: WireMessage {
    public static let wireName = "hone.data.DatasetQuery"
    public var namePrefix = ""
    public var allVersions = false
    public var limit = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "namePrefix", &namePrefix)
        coder.bool(2, "allVersions", &allVersions)
        coder.uint(3, "limit", &limit)
    }
}

/// Dataset versions.
public struct DatasetList: WireMessage {
    public static let wireName = "hone.data.DatasetList"
    public var versions: [DatasetVersion] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "versions", &versions)
    }
}

/// Asks for an artifact's bytes.
public struct ArtifactRequest: WireMessage {
    public static let wireName = "hone.data.ArtifactRequest"
    public var hash = ""
    public var offset = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "hash", &hash)
        coder.uint(2, "offset", &offset)
    }
}

/// One file of a model.
public struct ModelFile: WireMessage {
    public static let wireName = "hone.data.ModelFile"
    public var path = ""
    public var artifact = Artifact()

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "path", &path)
        coder.message(2, "artifact", &artifact)
    }
}

/// A model's entry in the registry.
public struct ModelRecord: WireMessage {
    public static let wireName = "hone.data.ModelRecord"
    public var name = ""
    public var files: [ModelFile] = []
    public var parent = ""
    public var createdAtMilliseconds = 0
    public var notes: [String: String] = [:]

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.repeated(2, "files", &files)
        coder.string(3, "parent", &parent)
        coder.uint(4, "createdAtMilliseconds", &createdAtMilliseconds)
        coder.map(5, "notes", &notes)
    }
}

/// Names a model in the registry.
public struct ModelReference: WireMessage {
    public static let wireName = "hone.data.ModelReference"
    public var name = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
    }
}

/// The registry's entries.
public struct ModelList: WireMessage {
    public static let wireName = "hone.data.ModelList"
    public var models: [ModelRecord] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "models", &models)
    }
}
