import Metrics
import Synchronization

extension MetricsRegistry {
    private static let bootstrapped = Mutex(false)

    /// Lets what libraries tell swift-metrics appear in the shared registry. Once a process.
    public static func bootstrapMetrics() {
        let first = bootstrapped.withLock { done in
            defer { done = true }
            return !done
        }
        if first { MetricsSystem.bootstrap(RegistryBackend(registry: shared)) }
    }
}

/// The backend of swift-metrics over a registry.
struct RegistryBackend: MetricsFactory {
    let registry: MetricsRegistry

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        BackedValue(registry.counter(label, labels: dimensions))
    }

    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        BackedValue(registry.counter(label, labels: dimensions))
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        BackedValue(registry.gauge(label, labels: dimensions))
    }

    func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? BackedHistogram(registry.histogram(label, labels: dimensions))
            : BackedValue(registry.gauge(label, labels: dimensions))
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        BackedHistogram(registry.histogram(label, labels: dimensions))
    }

    // Series stay for as long as the process: their number is bounded.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

private final class BackedValue: CounterHandler, FloatingPointCounterHandler, MeterHandler,
    RecorderHandler
{
    private let value: MetricValue

    init(_ value: MetricValue) {
        self.value = value
    }

    func increment(by amount: Int64) { value.add(Double(amount)) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func set(_ new: Int64) { value.set(Double(new)) }
    func set(_ new: Double) { value.set(new) }
    func record(_ new: Int64) { value.set(Double(new)) }
    func record(_ new: Double) { value.set(new) }
    func reset() { value.set(0) }
}

private final class BackedHistogram: RecorderHandler, TimerHandler {
    private let histogram: MetricHistogram

    init(_ histogram: MetricHistogram) {
        self.histogram = histogram
    }

    func record(_ value: Int64) { histogram.record(Double(value)) }
    func record(_ value: Double) { histogram.record(value) }
    func recordNanoseconds(_ duration: Int64) { histogram.record(Double(duration) / 1e9) }
}
