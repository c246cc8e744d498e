import Foundation
import TestKit

/// What `Package.swift` declares: each target with the modules it may import.
struct PackageMap {
    /// Modules of the toolchain and the system, which need no declaration.
    static let system: Set = [
        "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Swift", "Synchronization",
        "Testing", "XCTest",
    ]

    /// The products that the manifest names through a function, with the modules they bring.
    private static let products = [
        "argumentParser()": ["ArgumentParser"], "log()": ["Logging"], "metrics()": ["Metrics"],
        "lifecycle()": ["ServiceLifecycle"], "unixSignals()": ["UnixSignals"],
        "hummingbird()": ["Hummingbird", "HummingbirdCore", "HTTPTypes"],
        "hummingbirdCore()": ["HummingbirdCore"], "grdb()": ["GRDB"], "yams()": ["Yams"],
    ]

    private(set) var targets: [String: Set<String>] = [:]

    init() throws {
        let manifest = SharedData.repository.appending(path: "Package.swift")
        let text = try String(contentsOf: manifest, encoding: .utf8)
        guard let start = text.range(of: "let targets"), let end = text.range(of: "let products")
        else { return }
        for kind in ["module", "loopModule", "service", "command", "kit", "tests"] {
            for call in Self.calls(of: kind, in: text[start.upperBound..<end.lowerBound]) {
                add(kind, call)
            }
        }
    }

    private mutating func add(_ kind: String, _ call: Substring) {
        let names = call.split(separator: "\"", omittingEmptySubsequences: false)
            .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        guard let name = names.first else { return }
        var modules = Set(names.dropFirst())
        for (function, brought) in Self.products where call.contains(function) {
            modules.formUnion(brought)
        }
        switch kind {
        case "service":
            modules.formUnion(["Schema", "ServiceKit", "RPC", "Wire", "Jobs"])
            modules.formUnion(["ArgumentParser", "Logging"])
            targets[Self.service(name)] = modules
        case "tests":
            modules.insert("TestKit")
            if !call.contains("depends: false") { modules.insert(name) }
            targets[name + "Tests"] = modules
        default: targets[name] = modules
        }
    }

    /// What stands between the parentheses of each call of a function.
    private static func calls(of function: String, in text: Substring) -> [Substring] {
        var found: [Substring] = []
        var rest = text
        while let start = rest.range(of: " " + function + "(") {
            var (depth, end) = (1, start.upperBound)
            while end < rest.endIndex, depth > 0 {
                if rest[end] == "(" { depth += 1 }
                if rest[end] == ")" { depth -= 1 }
                end = rest.index(after: end)
            }
            found.append(rest[start.upperBound..<end])
            rest = rest[end...]
        }
        return found
    }

    private static func service(_ folder: String) -> String {
        folder.prefix(1).uppercased() + folder.dropFirst() + "Service"
    }

    /// The target a file belongs to, by its folder.
    func target(of path: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2 else { return path }
        return parts[0] == "services" ? Self.service(parts[1]) : parts[1]
    }

    /// The module a line imports, if it imports one.
    static func imported(by line: Substring) -> String? {
        let words = line.split(separator: " ").map(String.init)
        guard let place = words.firstIndex(of: "import"), place < words.count - 1, place <= 2,
            words[..<place].allSatisfy({ ["public", "package", "internal"].contains($0) })
        else { return nil }
        // `import struct Module.Type` names the module in the third word.
        // Python within a string imports in lower case.
        guard let module = words.last?.split(separator: ".").first.map(String.init),
            module.first?.isUppercase == true
        else { return nil }
        return module
    }
}
