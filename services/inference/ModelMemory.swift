import Corpus
import FoundationEssentials

/// Remembers on disk which model was loaded last, so that a process that begins again serves it.
package struct ModelMemory: Sendable {
    /// The model that served last.
    struct Entry: Codable, Equatable {
        var name: String
        /// Its folder.
        var path: String
        /// The model that the command line named then; another one now is a newer wish.
        var named: String?
    }

    let file: String
    /// The model that the command line names.
    let named: String?

    package init(file: String, named: String?) {
        self.file = file
        self.named = named
    }

    func remember(name: String, path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let entry = Entry(name: name, path: path, named: named)
        try AtomicFile.write(Array(try encoder.encode(entry)), to: file)
    }

    /// The model to begin with: the one that served last, unless the command line has changed.
    func recall() -> Entry? {
        guard FileManager.default.fileExists(atPath: file),
            let bytes = try? FileReader.bytes(of: file),
            let entry = try? JSONDecoder().decode(Entry.self, from: Data(bytes)),
            named == nil || named == entry.named
        else { return nil }
        return entry
    }
}
