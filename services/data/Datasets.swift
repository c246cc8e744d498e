import Corpus
package import RPC
package import Schema

/// What can be done with datasets: read in, join, cut in two.
package struct Datasets: Sendable {
    package let store: DataStore

    package init(store: DataStore) {
        self.store = store
    }

    /// Refuses names that could not be written as `name@version` or as a file.
    package static func check(name: String) throws(DataError) {
        let isFine =
            (1...200).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7F && $0 != "@" && $0 != "/"
            }
        if !isFine { throw .badName(name) }
    }

    /// Reads a file, as its bytes arrive, into a new version.
    package func read(
        _ requests: RequestStream<ImportRequest>
    ) async throws -> DatasetVersion {
        var parts = requests.makeAsyncIterator()
        guard let first = try await parts.next(), let header = first.header else {
            throw DataError.noHeader
        }
        try Self.check(name: header.name)
        let format = try Mapping.format(header.format)
        var importer = RecordImporter(format: format, options: try Mapping.options(header))
        let writer = try DatasetWriter(store: store.artifacts)
        var part: ImportRequest? = first
        // Once the limit is reached the rest is read, so that the sender is not cut off, and dropped.
        while let bytes = part?.data {
            if !importer.isFull {
                try writer.add(try corpus { try importer.push(bytes) }, label: header.label)
            }
            part = try await parts.next()
        }
        if !importer.isFull {
            try writer.add(try corpus { try importer.finish() }, label: header.label)
        }
        if writer.recordCount == 0 {
            throw DataError.noRows(
                format: format.rawValue, rejected: writer.rejectedCount, first: writer.firstReason)
        }
        return try await enter(
            try writer.finish(), name: header.name, format: header.format, label: header.label)
    }

    private func corpus(
        _ body: () throws -> [ImportOutcome]
    ) throws -> [ImportOutcome] {
        do {
            return try body()
        } catch let error as CorpusError {
            throw DataError.corpus(error)
        }
    }

    /// Joins versions in the order given, each record labelled as the original labels it.
    package func merge(_ request: MergeRequest) async throws -> DatasetVersion {
        try Self.check(name: request.name)
        if request.inputs.isEmpty { throw DataError.nothingToMerge }
        let writer = try DatasetWriter(store: store.artifacts)
        var parents: [String] = []
        var format = DatasetFormat.unspecified
        for (index, input) in request.inputs.enumerated() {
            let version = try await store.version(input.dataset)
            parents.append("\(version.name)@\(version.version)")
            format = index == 0 || format == version.format ? version.format : .lines
            let label =
                version.label.isEmpty
                ? DatasetLabel.label(ofFileNamed: version.name) : version.label
            try store.forEachRecord(of: version) { record in
                let wanted = input.label.isEmpty ? label : input.label
                if input.label.isEmpty, record.json["dataset"] != nil {
                    try writer.add(record.json, bytes: record.bytes)
                } else {
                    let labelled = CorpusMerge.labelled(record.json, wanted)
                    try writer.add(labelled, bytes: labelled.bytes(.python))
                }
            }
        }
        return try await enter(
            try writer.finish(), name: request.name, format: format, parents: parents)
    }

    /// Cuts a version in two; the same seed cuts the same way, and both parts keep the order.
    package func split(_ request: SplitRequest) async throws -> DatasetList {
        guard request.names.count == 2, request.names[0] != request.names[1] else {
            throw DataError.badSplit(reason: "a split needs two different names")
        }
        for name in request.names { try Self.check(name: name) }
        let version = try await store.version(request.dataset)
        var choice = SplitChoice(
            total: version.examples, chosen: try Self.firstCount(request, of: version.examples),
            seed: UInt64(bitPattern: Int64(request.seed)))
        let first = try DatasetWriter(store: store.artifacts)
        let rest = try DatasetWriter(store: store.artifacts)
        try store.forEachRecord(of: version) { record in
            let writer = choice.takesNext() ? first : rest
            try writer.add(record.json, bytes: record.bytes)
        }
        var list = DatasetList()
        for (writer, name) in zip([first, rest], request.names) {
            list.versions.append(
                try await enter(
                    try writer.finish(), name: name, format: version.format, label: version.label,
                    parents: ["\(version.name)@\(version.version)"]))
        }
        return list
    }

    private static func firstCount(
        _ request: SplitRequest, of total: Int
    ) throws(DataError) -> Int {
        if request.count > 0 {
            guard request.fraction == 0, request.count <= total else {
                throw .badSplit(
                    reason: request.fraction == 0
                        ? "the first part cannot have \(request.count) of \(total) records"
                        : "a split is by count or by fraction, not by both")
            }
            return request.count
        }
        guard request.fraction > 0, request.fraction < 1 else {
            throw .badSplit(
                reason: "the fraction is \(request.fraction); it must lie between 0 and 1")
        }
        return Int((Double(total) * request.fraction).rounded())
    }

    private func enter(
        _ content: DatasetWriter.Content, name: String, format: DatasetFormat, label: String = "",
        parents: [String] = []
    ) async throws -> DatasetVersion {
        var version = DatasetVersion()
        version.name = name
        version.version = content.records.hash
        version.examples = content.count
        version.bytes = content.records.bytes
        version.createdAtMilliseconds = DataStore.now()
        version.format = format
        version.parents = parents
        version.label = label
        version.artifact = Mapping.artifact(content.records, mediaType: "application/jsonl")
        for artifact in [version.artifact, content.statistics.rejectedRows].compactMap({ $0 }) {
            try await store.note(mediaType: artifact.mediaType, of: artifact.hash)
        }
        return try await store.enter(version, content.statistics)
    }
}

/// Chooses exactly so many of so many records, each as likely as the others, in one pass.
///
/// - Source: Knuth, The Art of Computer Programming, volume 2, section 3.4.2, algorithm S.
package struct SplitChoice: Sendable {
    private var left: Int
    private var wanted: Int
    private var state: UInt64

    package init(total: Int, chosen: Int, seed: UInt64) {
        left = total
        wanted = chosen
        state = seed
    }

    /// Whether the next record belongs to the chosen ones.
    package mutating func takesNext() -> Bool {
        guard left > 0 else { return false }
        defer { left -= 1 }
        guard random() % UInt64(left) < UInt64(wanted) else { return false }
        wanted -= 1
        return true
    }

    /// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
