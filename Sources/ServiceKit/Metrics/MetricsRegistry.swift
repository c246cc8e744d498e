import Synchronization

/// The numbers a process tells about itself, as Prometheus reads them.
///
/// A family has a name, a help text and one series per set of labels. Families and series appear at
/// their first use and stay.
public final class MetricsRegistry: Sendable {
    /// The registry that swift-metrics writes to once `bootstrapMetrics` was called.
    public static let shared = MetricsRegistry()

    /// A series of a family that has this many already is counted under `other`.
    static let seriesPerFamily = 512

    public init() {}

    private struct Family {
        let kind: String
        let help: String
        var series: [String: any Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let sources = Mutex<[String: @Sendable () -> String]>([:])

    /// Adds families that are counted elsewhere: `text` gives them at each exposition, as
    /// Prometheus reads them. The same name again takes the place of the one before.
    public func include(_ name: String, _ text: @escaping @Sendable () -> String) {
        sources.withLock { $0[name] = text }
    }

    /// A number that only grows. By custom its name ends in `_total`.
    public func counter(
        _ name: String, _ help: String = "", labels: [(String, String)] = []
    ) -> MetricValue {
        series(name, "counter", help, labels) { MetricValue() }
    }

    /// A number that goes up and down.
    public func gauge(
        _ name: String, _ help: String = "", labels: [(String, String)] = []
    ) -> MetricValue {
        series(name, "gauge", help, labels) { MetricValue() }
    }

    /// How often a value fell where. By custom its name ends in its unit, such as `_seconds`.
    public func histogram(
        _ name: String, _ help: String = "", labels: [(String, String)] = [],
        bounds: [Double] = MetricHistogram.seconds
    ) -> MetricHistogram {
        series(name, "histogram", help, labels) { MetricHistogram(bounds: bounds) }
    }

    /// Everything, in the text format of Prometheus, version 0.0.4.
    public func exposition() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if !family.help.isEmpty { text += "# HELP \(name) \(Self.escapedHelp(family.help))\n" }
            text += "# TYPE \(name) \(family.kind)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                text += series.lines(name, labels)
            }
        }
        // Outside of the lock: a source may use the registry.
        let sources = sources.withLock { $0 }.sorted { $0.key < $1.key }
        return sources.reduce(into: text) { $0 += $1.value() }
    }

    private func series<Made: Series>(
        _ name: String, _ kind: String, _ help: String, _ labels: [(String, String)],
        _ make: () -> Made
    ) -> Made {
        let name = Self.cleanedName(name)
        var key = Self.labelText(labels)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind, help: help)
            if family.series[key] == nil, family.series.count >= Self.seriesPerFamily {
                key = Self.labelText(labels.map { ($0.0, "other") })
            }
            if let known = family.series[key] as? Made { return known }
            precondition(
                family.series[key] == nil, "metric \(name) is a \(family.kind), not a \(kind)")
            let made = make()
            family.series[key] = made
            families[name] = family
            return made
        }
    }

    private static func cleanedName(_ name: String) -> String {
        let allowed = name.unicodeScalars.map { scalar in
            let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
            return isFine || scalar == "_" || scalar == ":" ? Character(scalar) : "_"
        }
        return String(allowed)
    }

    private static func labelText(_ labels: [(String, String)]) -> String {
        labels.sorted { $0.0 < $1.0 }
            .map { "\(cleanedName($0.0))=\"\(escapedLabel($0.1))\"" }.joined(separator: ",")
    }

    private static func escapedLabel(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    private static func escapedHelp(_ help: String) -> String {
        help.split(separator: "\n").joined(separator: " ")
    }
}

private protocol Series: Sendable {
    func lines(_ name: String, _ labels: String) -> String
}

/// A counter or a gauge.
public final class MetricValue: Series {
    private let value = Mutex(0.0)

    public var current: Double { value.withLock { $0 } }

    public func add(_ amount: Double = 1) {
        value.withLock { $0 += amount }
    }

    public func set(_ new: Double) {
        value.withLock { $0 = new }
    }

    fileprivate func lines(_ name: String, _ labels: String) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(prometheusNumber(current))\n"
    }
}

/// Counts of values by upper bound, their sum and their number.
public final class MetricHistogram: Series {
    /// Bounds for durations between a millisecond and a minute.
    public static let seconds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds.sorted()
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    public func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    public func record(_ duration: Duration) {
        record(duration / .seconds(1))
    }

    fileprivate func lines(_ name: String, _ labels: String) -> String {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let before = labels.isEmpty ? "" : labels + ","
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        var total = 0
        var text = ""
        for (bound, count) in zip(bounds.map(prometheusNumber) + ["+Inf"], counts) {
            total += count
            text += "\(name)_bucket{\(before)le=\"\(bound)\"} \(total)\n"
        }
        return text
            + "\(name)_sum\(suffix) \(prometheusNumber(sum))\n\(name)_count\(suffix) \(total)\n"
    }
}

/// A number as Prometheus writes it: without `.0`, infinities with a capital.
private func prometheusNumber(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int(exactly: value) { return "\(whole)" }
    return "\(value)"
}
