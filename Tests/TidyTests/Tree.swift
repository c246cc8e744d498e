import Foundation
import TestKit

/// The repository's Swift files, as text.
enum Tree {
    /// One source file.
    struct File {
        /// Path below the repository.
        let path: String
        let lines: [Substring]

        /// The folder that is its module: `Sources/RPC/…` is in `RPC`.
        var module: String {
            let parts = path.split(separator: "/")
            return parts.count > 2 ? String(parts[1]) : ""
        }

        /// Functions and initializers with their lines, first and last included; the format puts a
        /// function's closing brace under its first letter.
        var functions: [(name: String, count: Int)] {
            var found: [(String, Int)] = []
            for (start, line) in lines.enumerated() {
                let words = line.split { $0 == " " || $0 == "(" || $0 == "<" }
                let isFunction = words.contains("func") || words.contains { $0.hasPrefix("init") }
                guard isFunction, !line.contains("//"), !line.hasSuffix("}") else { continue }
                let indent = line.prefix { $0 == " " }
                guard indent.count <= 8 else { continue }
                let rest = lines[start...]
                guard let end = rest.firstIndex(where: { $0 == indent + "}" }) else { continue }
                found.append((line.trimmingCharacters(in: .whitespaces), end - start + 1))
            }
            return found
        }

        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    /// Files outside the fenced modules that must speak to the machine, each with its reason in its
    /// first lines.
    static let mayBeUnsafe: Set = [
        "ComputeThread.swift", "System.swift", "LoopExecutor.swift", "Sleeper.swift",
        "CallTask.swift",
        "Resolver.swift", "UnixSocketFile.swift",
    ]

    static func swiftFiles(below folders: [String]) throws -> [File] {
        var files: [File] = []
        for folder in folders {
            let root = SharedData.repository.appending(path: folder)
            guard
                let all = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
            else { continue }
            for case let url as URL in all where url.pathExtension == "swift" {
                let text = try String(contentsOf: url, encoding: .utf8)
                let path = folder + url.path.dropFirst(root.path.count)
                files.append(
                    File(
                        path: path,
                        lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
            }
        }
        return files.sorted { $0.path < $1.path }
    }
}
