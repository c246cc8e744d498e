// FileHandle is not in FoundationEssentials.
import Foundation

/// The keys of an endpoint, from the environment the original reads or from files it names.
public enum APIKeys {
    /// Where keys are looked for, in this order; the first that holds any counts.
    private static let variables = ["OPENAI_API_KEYS", "OPENAI_API_KEY"]
    private static let largestFile = 1 << 20

    /// - Parameter variable: a variable's value by its name.
    /// - Throws: `configuration` where `OPENAI_API_KEYS_FILE` or `OPENAI_API_KEY_FILE` names a file
    ///   that cannot be read. An empty file is no key.
    public static func read(
        _ variable: (_ name: String) -> String?
    ) throws(ChatError) -> [String] {
        for name in variables {
            let keys = split(variable(name) ?? "")
            if !keys.isEmpty { return keys }
        }
        for name in variables.map({ $0 + "_FILE" }) {
            guard let path = variable(name), !path.isEmpty else { continue }
            let keys = split(try text(of: path, named: name))
            if !keys.isEmpty { return keys }
        }
        return []
    }

    private static func split(_ text: String) -> [String] {
        text.split { $0 == "," || $0.isWhitespace }.map { String($0) }
    }

    private static func text(of path: String, named name: String) throws(ChatError) -> String {
        let bytes: Data
        do {
            // Read as a stream: /dev/null stands for a secret that was not given.
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? handle.close() }
            bytes = try handle.read(upToCount: largestFile + 1) ?? Data()
        } catch {
            throw ChatError(
                .configuration, "the file \(path) that \(name) names cannot be read: \(error)")
        }
        guard bytes.count <= largestFile else {
            throw ChatError(
                .configuration,
                "the file \(path) that \(name) names has more than \(largestFile) bytes; it holds no keys"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
