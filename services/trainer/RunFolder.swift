import Corpus
import FoundationEssentials

/// A run's folder: the model, its checkpoints, and the curve of its loss.
///
/// ```
/// OUTPUT/config.json, model.safetensors, tokenizer…   the model, once the run has ended
/// OUTPUT/checkpoint-500/                               what a resumed run needs
/// OUTPUT/loss.jsonl                                    one line a logged step
/// OUTPUT/loss.svg                                      the same as a picture
/// ```
struct RunFolder: Sendable {
    let path: String

    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Removes what a killed process left half written or half removed.
    func removeLeftovers() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let isFolder = name.hasPrefix(".") && (name.hasSuffix(".new") || name.hasSuffix(".old"))
            let isFile = name.hasPrefix("loss.") && name.hasSuffix(".temporary")
            if isFolder || isFile {
                try FileManager.default.removeItem(atPath: path + "/" + name)
            }
        }
    }

    var log: String { path + "/loss.jsonl" }

    /// The logged steps up to one; a resumed run drops what it will do again.
    func records(upTo step: Int) throws -> [StepRecord] {
        guard FileManager.default.fileExists(atPath: log) else { return [] }
        let text = try String(contentsOf: URL(filePath: log), encoding: .utf8)
        var records: [StepRecord] = []
        for line in text.split(separator: "\n") {
            // A line that a crash cut in half is the last one, and its step is done again.
            guard let json = try? JSON(parsing: String(line)), let record = StepRecord(json),
                record.step <= step
            else { break }
            records.append(record)
        }
        return records
    }

    func write(_ records: [StepRecord], title: String) throws {
        let lines = records.map { $0.json.text() + "\n" }.joined()
        try AtomicFile.write(Array(lines.utf8), to: log)
        try drawCurve(records, title: title)
    }

    func drawCurve(_ records: [StepRecord], title: String) throws {
        let svg = LossCurve.svg(records.map { ($0.step, $0.loss) }, title: title)
        try AtomicFile.write(Array(svg.utf8), to: path + "/loss.svg")
    }
}

extension StepRecord {
    /// Reads a line of the log; nil if it lacks a number.
    init?(_ json: JSON) {
        guard case .object(let object) = json, let step = object["step"]?.intValue,
            let loss = object["loss"]?.doubleValue
        else { return nil }
        self.init(
            step: step, loss: loss, learningRate: object["learning_rate"]?.doubleValue ?? 0,
            gradientNorm: object["grad_norm"]?.doubleValue ?? 0,
            tokensPerSecond: object["tokens_per_second"]?.doubleValue ?? 0,
            epoch: object["epoch"]?.doubleValue ?? 0)
    }
}
