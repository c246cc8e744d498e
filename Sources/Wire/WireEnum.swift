/// A choice that travels as an unsigned number; numbers not yet known survive as `.unknown`.
///
/// ```swift
/// public enum JobStatus: WireEnum {
///     case unspecified, queued, running
///     case unknown(UInt64)
///     public static let wireName = "hone.jobs.JobStatus"
///     public static let known: [Self] = [.unspecified, .queued, .running]
///     public var unknownNumber: UInt64? { if case .unknown(let number) = self { number } else { nil } }
/// }
/// ```
public protocol WireEnum: Sendable, Hashable {
    /// The full name in the schema.
    static var wireName: String { get }
    /// The choices by number: the first is 0 and the default. A number no longer used holds its
    /// place as `.unknown`.
    static var known: [Self] { get }
    static func unknown(_ number: UInt64) -> Self
    /// The number of `.unknown`; nil for every other choice.
    var unknownNumber: UInt64? { get }
}

extension WireEnum {
    @inlinable public init(number: UInt64) {
        self =
            if number < UInt64(Self.known.count) {
                Self.known[Int(number)]
            } else {
                .unknown(number)
            }
    }

    /// The choice of this name, as the schema spells it.
    public init?(name: String) {
        guard let choice = Self.known.first(where: { $0.name == name }) else { return nil }
        self = choice
    }

    // Inlinable, so that the search is compiled for each enumeration.
    @inlinable public var number: UInt64 {
        unknownNumber ?? UInt64(Self.known.firstIndex(of: self) ?? 0)
    }

    /// The choice's name in the schema; `unknown(9)` for a number without one.
    public var name: String { "\(self)" }
}
