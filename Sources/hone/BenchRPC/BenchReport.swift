import ServiceKit

/// One line of the table.
struct BenchRow: Encodable {
    var system: String
    /// What called: its own client, or h2load.
    var client: String
    var tls: Bool
    /// Whether server and client were tied to a core each.
    var isTied: Bool
    var task: String
    /// Calls, or messages of a stream.
    var perSecond: Double
    /// Payload in one direction, in units of 10⁶ bytes.
    var megabytesPerSecond: Double
    var p50Microseconds: Double?
    var p99Microseconds: Double?
    /// Processor seconds the server spent on a million of them.
    var serverSecondsPerMillion: Double
    /// The most memory the server has held so far.
    var serverMegabytes: Double

    init(
        system: String, client: String, tls: Bool, isTied: Bool, line: BenchLine,
        serverSeconds: Double, serverMegabytes: Double
    ) {
        self.system = system
        self.client = client
        self.tls = tls
        self.isTied = isTied
        task = line.task
        perSecond = Double(line.count) / line.seconds
        megabytesPerSecond = perSecond * (task.contains("64 KiB") ? 65_536 : 100) / 1e6
        p50Microseconds = line.p50Microseconds
        p99Microseconds = line.p99Microseconds
        serverSecondsPerMillion = serverSeconds / Double(max(1, line.count)) * 1e6
        self.serverMegabytes = serverMegabytes
    }

    private struct Key: Hashable {
        let system: String
        let client: String
        let tls: Bool
        let task: String
    }

    /// Of each line the median of its rounds, in the placement in which that is faster.
    static func medians(of rows: [BenchRow]) -> [BenchRow] {
        func key(_ row: BenchRow) -> Key {
            Key(system: row.system, client: row.client, tls: row.tls, task: row.task)
        }
        var keys: [Key] = []
        for row in rows where !keys.contains(key(row)) { keys.append(key(row)) }
        let groups = Dictionary(grouping: rows, by: key)
        return keys.compactMap { key in
            let placements = Dictionary(grouping: groups[key] ?? [], by: \.isTied).values
            return placements.map(median).max { $0.perSecond < $1.perSecond }
        }
    }

    private static func median(_ rows: [BenchRow]) -> BenchRow {
        rows.sorted { $0.perSecond < $1.perSecond }[rows.count / 2]
    }
}

/// Everything a run of the benchmark found.
struct BenchReport: Encodable {
    var rows: [BenchRow]
    var cost: BenchCost
    /// What was not measured, and why.
    var missing: [String]

    /// A table for each shape of load: ours first, the others with their ratio to it.
    var text: String {
        var text = ""
        for tls in [false, true] {
            for client in ["its own", "h2load"] {
                let rows = rows.filter { $0.tls == tls && $0.client == client }
                guard !rows.isEmpty else { continue }
                text += client == "h2load" ? "h2load against each server" : "each with its client"
                text += tls ? ", TLS\n" : "\n"
                text += Self.table(rows) + "\n"
            }
        }
        text += cost.text
        for line in missing { text += "left out: \(line)\n" }
        return text
    }

    private static func table(_ rows: [BenchRow]) -> String {
        var table = TextTable(
            "task", "system", "per second", "Hone is", "MB/s", "p50 µs", "p99 µs",
            "server CPU s per 1M", "server MiB")
        var tasks: [String] = []
        for row in rows where !tasks.contains(row.task) { tasks.append(row.task) }
        for task in tasks {
            let group = rows.filter { $0.task == task }
            let ours = group.first { $0.system == "Hone" }?.perSecond
            for (index, row) in group.enumerated() {
                let ratio = ours.map { $0 / max(row.perSecond, 1) }
                table.add(
                    index == 0 ? task : "", row.system, TextTable.number(row.perSecond),
                    row.system == "Hone" ? "" : ratio.map { TextTable.number($0) + " ×" } ?? "–",
                    TextTable.number(row.megabytesPerSecond),
                    row.p50Microseconds.map(TextTable.number) ?? "–",
                    row.p99Microseconds.map(TextTable.number) ?? "–",
                    TextTable.number(row.serverSecondsPerMillion),
                    TextTable.number(row.serverMegabytes))
            }
        }
        return table.text
    }
}
