import Corpus
// FileHandle is not in FoundationEssentials.
import Foundation

/// The answers of a run that is not finished, and beside them the settings it was begun with.
///
/// ```
/// answer.jsonl.part            one row an answer, in the order in which they were finished
/// answer.jsonl.part.settings   JSON
/// ```
struct AnswerPart: Sendable {
    let path: String

    private var settingsPath: String { path + ".settings" }

    /// The rows of an earlier run by the text of their question's id; a last line that a crash cut
    /// short is left out.
    ///
    /// - Throws: where the earlier run had other settings: its answers are another experiment's.
    func open(with settings: JSONObject) throws -> [String: [UInt8]] {
        guard FileManager.default.fileExists(atPath: path) else {
            try AtomicFile.write(JSON.object(settings).line(), to: settingsPath)
            return [:]
        }
        try check(settings)
        let bytes = try FileReader.bytes(of: path)
        let whole = bytes.lastIndex(of: 0x0A).map { Array(bytes[...$0]) } ?? []
        if whole.count < bytes.count { try AtomicFile.write(whole, to: path) }
        var answers: [String: [UInt8]] = [:]
        for (record, line) in try AnswerBatch.records(in: path) {
            guard let row = AnswerRow(record) else {
                throw InferenceError.badFile(
                    path: path, cause: "line \(line) is no answer; remove the file to begin anew")
            }
            answers[row.questionID.text()] = row.line()
        }
        return answers
    }

    private func check(_ settings: JSONObject) throws {
        guard FileManager.default.fileExists(atPath: settingsPath),
            let begun = try? JSON(parsing: FileReader.bytes(of: settingsPath)).objectValue
        else {
            throw InferenceError.badFile(
                path: path,
                cause: "what it was begun with is not known; remove it to begin anew")
        }
        let differing = settings.members.filter { begun[$0.key] != $0.value }.map { member in
            "\(member.key) was \(begun[member.key]?.text() ?? "not set")"
                + " and is \(member.value.text())"
        }
        guard differing.isEmpty else {
            throw InferenceError.badFile(
                path: path,
                cause: "it was begun otherwise: \(differing.joined(separator: ", "));"
                    + " go on with what it was begun with, or remove it to begin anew")
        }
    }

    func appending() throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) { try AtomicFile.write([], to: path) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        return file
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.removeItem(atPath: settingsPath)
    }
}
