/// The numbers of many processes as one text of Prometheus: every sample says whose it is.
public struct MetricsText: Sendable {
    private struct Family {
        /// The HELP and TYPE lines, of whoever was added first.
        var head: [Substring] = []
        var samples: [String] = []
    }

    private var families: [Substring: Family] = [:]
    private var order: [Substring] = []

    public init() {}

    /// Whether a service answered, as a sample to add.
    public static func isUp(_ isUp: Bool) -> String {
        "# HELP hone_service_up Whether the service answered.\n# TYPE hone_service_up gauge\n"
            + "hone_service_up \(isUp ? 1 : 0)\n"
    }

    /// Adds a process's text; each of its samples gets the labels besides its own.
    public mutating func add(_ text: String, labels: [(String, String)]) {
        let addition = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        var family: Substring = ""
        // A family whose head is known already keeps the one it has.
        var isNew = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("#") {
                guard words.count > 2, words[1] == "TYPE" || words[1] == "HELP" else { continue }
                if words[2] != family {
                    family = words[2]
                    isNew = open(family)
                }
                if isNew { families[family]?.head.append(line) }
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                if family.isEmpty || !name.hasPrefix(family) {
                    family = name
                    isNew = open(family)
                }
                families[family]?.samples.append(Self.labelled(line, name, addition))
            }
        }
    }

    /// All families in the order of their first appearance.
    public var text: String {
        order.map { name in
            let family = families[name] ?? Family()
            return (family.head.map(String.init) + family.samples).map { $0 + "\n" }.joined()
        }.joined()
    }

    /// Whether the family was not known before.
    private mutating func open(_ name: Substring) -> Bool {
        guard families[name] == nil else { return false }
        families[name] = Family()
        order.append(name)
        return true
    }

    private static func labelled(
        _ line: Substring, _ name: Substring, _ addition: String
    ) -> String {
        guard !addition.isEmpty else { return String(line) }
        let rest = line.dropFirst(name.count)
        guard rest.hasPrefix("{"), let end = rest.lastIndex(of: "}") else {
            return "\(name){\(addition)}\(rest)"
        }
        let own = rest[rest.index(after: rest.startIndex)..<end]
        return "\(name){\(own)\(own.isEmpty ? "" : ",")\(addition)\(rest[end...])"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }
}
