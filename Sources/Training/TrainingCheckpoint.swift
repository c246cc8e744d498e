public import FoundationEssentials
public import Llama
public import Tensors

// A checkpoint is a folder `checkpoint-<step>`: a model in the Hugging Face layout (float32),
//
//     optimizer.safetensors   "first.<parameter>", "second.<parameter>": AdamW's moments
//     trainer_state.json      the step, the settings, the data's order and fingerprint
//
// It appears under its name only when all of it is on the disk.

/// Where and how often a run keeps itself.
public struct CheckpointPolicy: Sendable {
    public var folder: URL
    /// 0 saves none but the last.
    public var stepsPerSave: Int
    /// How many stay; older ones go.
    public var limit: Int?
    /// Files copied into each: the tokenizer's.
    public var alongside: [URL]

    public init(folder: URL, stepsPerSave: Int, limit: Int? = nil, alongside: [URL] = []) {
        self.folder = folder
        self.stepsPerSave = stepsPerSave
        self.limit = limit
        self.alongside = alongside
    }
}

/// A checkpoint found on the disk.
public struct TrainingCheckpoint: Sendable, Equatable {
    public let folder: URL
    public let step: Int

    /// All in a run's folder, oldest first. What a crash left half made has another name.
    public static func all(in folder: URL) -> [TrainingCheckpoint] {
        // No folder yet is no checkpoint yet.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix(prefix), let step = Int(name.dropFirst(prefix.count)) else {
                return nil
            }
            return TrainingCheckpoint(folder: folder.appending(path: name), step: step)
        }.sorted { $0.step < $1.step }
    }

    public static func latest(in folder: URL) -> TrainingCheckpoint? { all(in: folder).last }

    static let prefix = "checkpoint-"
    static let state = "trainer_state.json"
    static let optimizer = "optimizer.safetensors"
}

/// trainer_state.json.
struct TrainerState: Codable, Equatable {
    var step: Int
    var totalSteps: Int
    var settings: TrainingSettings
    var exampleCount: Int
    /// Of all ids and labels, in hexadecimal.
    var fingerprint: String
}

extension Trainer {
    /// Continues a run from its checkpoint, bit for bit.
    ///
    /// - Parameters:
    ///   - examples: the same as before.
    ///   - settings: the same as before; how memory is used may differ.
    public convenience init(
        resuming checkpoint: TrainingCheckpoint, examples: [TrainingSequence],
        settings: TrainingSettings, compute: Compute
    ) throws {
        let path = checkpoint.folder.path
        let state: TrainerState
        do {
            state = try JSONDecoder().decode(
                TrainerState.self,
                from: Data(
                    contentsOf: checkpoint.folder.appending(path: TrainingCheckpoint.state)))
        } catch {
            throw TrainingError.checkpoint(path: path, problem: "\(error)")
        }
        try self.init(
            LlamaWeights(folder: checkpoint.folder), examples: examples, settings: settings,
            compute: compute)
        if let other = try state.settings.difference(from: settings) {
            throw TrainingError.mismatch(
                checkpoint: path, what: other.name, stored: other.mine, given: other.theirs)
        }
        try require(path, "data", state.fingerprint, fingerprint, state.fingerprint == fingerprint)
        let file = try SafetensorsFile(
            checkpoint.folder.appending(path: TrainingCheckpoint.optimizer))
        for (index, entry) in weights.layout.entries.enumerated() {
            try file.read("first." + entry.name, into: first.tensors[index])
            try file.read("second." + entry.name, into: second.tensors[index])
        }
        step = state.step
    }

    /// Writes `checkpoint-<step>` and removes what the policy no longer keeps.
    public func save(_ policy: CheckpointPolicy) throws -> TrainingCheckpoint {
        let folder = policy.folder.appending(path: TrainingCheckpoint.prefix + "\(step)")
        try FileManager.default.createDirectory(
            at: policy.folder, withIntermediateDirectories: true)
        try DurableFolder.replace(folder.path) { temporary in
            let temporary = URL(filePath: temporary, directoryHint: .isDirectory)
            try weights.write(
                into: temporary, LlamaWeights.SaveOptions(alongside: policy.alongside))
            let moments = weights.layout.entries.enumerated().flatMap { index, entry in
                [
                    NamedTensor(
                        name: "first." + entry.name, shape: entry.shape,
                        tensor: first.tensors[index]),
                    NamedTensor(
                        name: "second." + entry.name, shape: entry.shape,
                        tensor: second.tensors[index]),
                ]
            }
            try SafetensorsWriter().write(
                moments, to: temporary.appending(path: TrainingCheckpoint.optimizer))
            try writeState(temporary.appending(path: TrainingCheckpoint.state))
        }
        try Trainer.removeLeftovers(in: policy.folder)
        for old in TrainingCheckpoint.all(in: policy.folder).dropLast(policy.limit ?? .max) {
            try DurableFolder.remove(old.folder.path)
        }
        return TrainingCheckpoint(folder: folder, step: step)
    }

    /// Removes what crashes left half written or half removed.
    private static func removeLeftovers(in folder: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasPrefix("." + TrainingCheckpoint.prefix) {
            try FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// Runs to the end, saving as the policy says and once more at the end.
    ///
    /// - Parameters:
    ///   - isCancelled: asked between passes; a cancelled run saves itself and throws
    ///     `CancellationError`.
    ///   - onStep: called after every step.
    public func run(
        _ policy: CheckpointPolicy? = nil, isCancelled: () -> Bool = { false },
        onStep: (StepMetrics) throws -> Void
    ) throws {
        var saved = -1
        while !isFinished {
            do {
                try onStep(try advance(isCancelled: isCancelled))
            } catch let error as CancellationError {
                if let policy, saved != step, step > 0 { _ = try save(policy) }
                throw error
            }
            if let policy, policy.stepsPerSave > 0, step % policy.stepsPerSave == 0 {
                _ = try save(policy)
                saved = step
            }
        }
        if let policy, saved != step { _ = try save(policy) }
    }

    /// FNV-1a over every example's length, ids and labels.
    var fingerprint: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ value: UInt64) {
            hash = (hash ^ value) &* 0x100_0000_01B3
        }
        for example in examples {
            mix(UInt64(example.ids.count))
            for id in example.ids { mix(UInt64(UInt32(bitPattern: id))) }
            for label in example.labels { mix(UInt64(UInt32(bitPattern: label))) }
        }
        return String(hash, radix: 16)
    }

    private func writeState(_ url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let state = TrainerState(
            step: step, totalSteps: totalSteps, settings: settings, exampleCount: examples.count,
            fingerprint: fingerprint)
        let file = try DurableFile(path: url.path)
        try file.write(Array(try encoder.encode(state)) + [UInt8(ascii: "\n")])
        try file.close()
    }

    private func require(
        _ checkpoint: String, _ what: String, _ stored: String, _ given: String, _ same: Bool
    ) throws(TrainingError) {
        guard same else {
            throw .mismatch(checkpoint: checkpoint, what: what, stored: stored, given: given)
        }
    }
}

extension TrainingSettings {
    /// The first setting, by name, in which two runs would differ; nil if they lead to the same
    /// weights: how memory is used may differ.
    func difference(
        from other: TrainingSettings
    ) throws -> (name: String, mine: String, theirs: String)? {
        var mine = self
        mine.recomputesActivations = other.recomputesActivations
        if mine == other { return nil }
        let (old, new) = (try mine.lines(), try other.lines())
        let names = Set(old.keys).union(new.keys).sorted()
        let name = names.first { old[$0] != new[$0] } ?? "settings"
        return (name, old[name] ?? "none", new[name] ?? "none")
    }

    /// Each setting by name, as JSON writes it.
    private func lines() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted]
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        var lines: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let name = parts[0].filter { $0 != "\"" && !$0.isWhitespace }
            lines[name] = parts[1].filter { $0 != "," && !$0.isWhitespace }
        }
        return lines
    }
}
