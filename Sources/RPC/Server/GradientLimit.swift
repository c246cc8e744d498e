/// The state of an ``AdaptiveLimit``.
package struct GradientLimit {
    private let settings: AdaptiveLimit
    private var limit: Double
    private var ratios = 0.0
    private var samples = 0

    package init(_ settings: AdaptiveLimit) {
        self.settings = settings
        limit = Double(settings.initial)
    }

    package var value: Int { Int(limit) }

    /// Notes a call that took `ratio` times as long as its like takes without load.
    ///
    /// - Parameter running: how many calls were being answered.
    package mutating func note(ratio: Double, running: Int) {
        ratios += ratio
        samples += 1
        guard samples >= settings.samplesPerStep else { return }
        let gradient = min(1, max(0.5, settings.tolerance / (ratios / Double(samples))))
        (ratios, samples) = (0, 0)
        // A limit that nobody reaches has not shown that more could be borne.
        guard gradient < 1 || Double(running) * 2 >= limit else { return }
        let next = limit * gradient + limit.squareRoot()
        limit += settings.smoothing * (next - limit)
        limit = min(Double(settings.maximum), max(Double(settings.minimum), limit))
    }
}

/// How long calls of one method take without load, in seconds.
///
/// Quick calls pull it down at once, slow ones up by little: so it stays near the time of the
/// quick ones while a server is overloaded, and yet follows a method that has become slower.
package struct UnloadedTime {
    package private(set) var seconds: Double?

    package init() {}

    /// - Returns: the call's time over that without load.
    package mutating func ratio(of sample: Double) -> Double {
        let sample = max(sample, 1e-6)
        guard let known = seconds else {
            seconds = sample
            return 1
        }
        seconds = known + (sample - known) * (sample < known ? 0.2 : 0.0002)
        return sample / known
    }
}
