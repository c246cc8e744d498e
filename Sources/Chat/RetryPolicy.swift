/// Which failures are tried again, how often, and after which wait.
///
/// A wait the server names (`retry-after-ms`, `Retry-After` in seconds or as a date) is kept when it
/// lies above zero and not above `longestRetryAfter`; otherwise the wait doubles from `first` to
/// `longest`, less a random quarter.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts after the first.
    public var retries: Int
    public var first: Duration
    public var longest: Duration
    public var longestRetryAfter: Duration

    public init(
        retries: Int = 5, first: Duration = .milliseconds(500), longest: Duration = .seconds(8),
        longestRetryAfter: Duration = .seconds(120)
    ) {
        self.retries = retries
        self.first = first
        self.longest = longest
        self.longestRetryAfter = longestRetryAfter
    }

    /// How long to wait before attempt `attempt + 1`.
    ///
    /// - Parameters:
    ///   - attempt: attempts made so far, less one: 0 after the first.
    ///   - headers: the reply's, names in small letters.
    ///   - now: seconds since 1970, for dates.
    ///   - random: in 0..<1.
    package func delay(
        attempt: Int, headers: [String: String], now: Double, random: Double
    ) -> Duration {
        if let seconds = Self.retryAfter(headers, now: now), seconds > 0,
            seconds <= longestRetryAfter / .seconds(1)
        {
            return .seconds(seconds)
        }
        var wait = first
        for _ in 0..<min(attempt, 64) where wait < longest { wait *= 2 }
        return min(wait, longest) * (1 - 0.25 * random)
    }

    /// The wait the server asks for, in seconds; nil if it asks for none that can be read.
    package static func retryAfter(_ headers: [String: String], now: Double) -> Double? {
        if let milliseconds = headers["retry-after-ms"].flatMap({ Double($0) }),
            milliseconds.isFinite
        {
            return milliseconds / 1000
        }
        guard let value = headers["retry-after"] else { return nil }
        if let seconds = Double(value) { return seconds.isFinite ? seconds : nil }
        return HTTPDate.seconds(value).map { $0 - now }
    }
}

/// Dates as HTTP writes them: `Fri, 29 Sep 2023 16:26:57 GMT`.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil if the text is no such date.
    static func seconds(_ text: String) -> Double? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].count == 4, words[5] == "GMT" else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard let day = Int(words[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(words[2])),
            let year = Int(words[3]), (1970...9999).contains(year),
            clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]),
            (0...60).contains(clock[2])
        else { return nil }
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
        let shiftedYear = month < 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Double(days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}
