import ServiceKit
import Testing

@Suite struct `Metrics` {
    @Test func `values are told as Prometheus reads them`() {
        let registry = MetricsRegistry()
        registry.counter("calls_total", "Calls.", labels: [("method", "a\"b")]).add(2)
        registry.counter("calls_total", labels: [("method", "a\"b")]).add()
        registry.gauge("open.connections").set(2.5)
        let histogram = registry.histogram("wait_seconds", bounds: [1, 0.1])
        histogram.record(0.05)
        histogram.record(.milliseconds(500))
        histogram.record(7)
        #expect(
            registry.exposition() == """
                # HELP calls_total Calls.
                # TYPE calls_total counter
                calls_total{method="a\\"b"} 3
                # TYPE open_connections gauge
                open_connections 2.5
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.1"} 1
                wait_seconds_bucket{le="1"} 2
                wait_seconds_bucket{le="+Inf"} 3
                wait_seconds_sum 7.55
                wait_seconds_count 3

                """)
    }

    @Test func `texts of many processes become one, each sample with its labels`() {
        var merged = MetricsText()
        let first = MetricsRegistry()
        first.counter("calls_total", "Calls.", labels: [("method", "a}b")]).add()
        first.histogram("wait_seconds", bounds: [1]).record(0.5)
        first.include("more") { "# TYPE more counter\nmore 7\n" }
        merged.add(first.exposition(), labels: [("service", "data")])
        let second = MetricsRegistry()
        second.gauge("open").set(2)
        second.counter("calls_total", "Calls.").add(5)
        merged.add(second.exposition(), labels: [("service", "a\"b")])
        #expect(
            merged.text == """
                # HELP calls_total Calls.
                # TYPE calls_total counter
                calls_total{method="a}b",service="data"} 1
                calls_total{service="a\\"b"} 5
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="1",service="data"} 1
                wait_seconds_bucket{le="+Inf",service="data"} 1
                wait_seconds_sum{service="data"} 0.5
                wait_seconds_count{service="data"} 1
                # TYPE more counter
                more{service="data"} 7
                # TYPE open gauge
                open{service="a\\"b"} 2

                """)
    }

    @Test func `the number of series is bounded`() {
        let registry = MetricsRegistry()
        for index in 0..<2_000 { registry.counter("a", labels: [("x", "\(index)")]).add() }
        let lines = registry.exposition().split(separator: "\n")
        #expect(lines.count <= 514)
        #expect(lines.contains { $0.hasPrefix("a{x=\"other\"} 1488") })
    }
}

@Suite struct `A compute thread` {
    @Test func `runs its jobs in order, off the pool`() async {
        let thread = ComputeThread()
        let results = await withTaskGroup(of: Int.self) { group in
            for value in 0..<100 {
                group.addTask(executorPreference: thread) { value * value }
            }
            return await group.reduce(0, +)
        }
        #expect(results == (0..<100).reduce(0) { $0 + $1 * $1 })
        let value = await withTaskExecutorPreference(thread) { 42 }
        #expect(value == 42)
    }
}
