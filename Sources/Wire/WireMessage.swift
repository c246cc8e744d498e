/// A value that travels: a sequence of fields, each `varint tag, varint length, payload`.
///
/// A conforming struct holds mutable properties and names each of them once, in ascending order
/// of tag, in `code(with:)`. That one list encodes, decodes and describes the message:
/// ```swift
/// public struct Artifact: WireMessage {
///     public static let wireName = "hone.common.Artifact"
///     public var hash = ""
///     public var bytes = 0
///     public init() {}
///     public mutating func code(with coder: inout WireCoder) {
///         coder.string(1, "hash", &hash)
///         coder.uint(2, "bytes", &bytes)
///     }
/// }
/// ```
/// The layout and the rules of change stand in `proto/README.md`.
public protocol WireMessage: Sendable, Equatable {
    /// The full name in the schema, such as `hone.data.ImportHeader`.
    static var wireName: String { get }
    /// The most bytes one encoded message may have; a decoder refuses more. 4 MiB unless stated.
    static var maximumBytes: Int { get }
    /// The message with every field at its default.
    init()
    /// Hands every field to `coder`, in ascending order of tag.
    mutating func code(with coder: inout WireCoder)
    /// Reads a message; fields in any order, unknown ones skipped.
    ///
    /// A type whose bytes are not fields (a health probe's protobuf, raw bytes in a test) writes
    /// this and `encoded()` itself; such a type cannot be nested in another message.
    init(decoding bytes: [UInt8]) throws(WireError)
    /// The canonical bytes: ascending tags, defaults left out, shortest varints.
    func encoded() -> [UInt8]
}

extension WireMessage {
    public static var maximumBytes: Int { 4 << 20 }

    public init(decoding bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.maximumBytes else {
            throw .messageTooLarge(bytes: bytes.count, limit: Self.maximumBytes)
        }
        self.init()
        var coder = WireCoder(decoding: bytes)
        try coder.decodeMessage(into: &self)
    }

    public func encoded() -> [UInt8] {
        var coder = WireCoder(encoding: ())
        coder.encodeMessage(self)
        return coder.writer.bytes
    }

    /// The fields in ascending order of tag, as `code(with:)` names them.
    public static var fields: [WireField] {
        var coder = WireCoder(describing: ())
        var message = Self()
        message.code(with: &coder)
        return coder.fields
    }

    /// The default message after `change`: `Artifact.with { $0.hash = hash }`.
    public static func with<Failure: Error>(
        _ change: (inout Self) throws(Failure) -> Void
    ) throws(Failure) -> Self {
        var message = Self()
        try change(&message)
        return message
    }
}
