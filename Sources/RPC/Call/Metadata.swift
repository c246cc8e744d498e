/// Names and values that travel beside the messages of a call, in the order they were added.
///
/// A name may occur more than once. A name that ends in "-bin" carries bytes, any other printable
/// ASCII.
public struct Metadata: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        case ascii(String)
        case binary([UInt8])
    }

    public struct Entry: Sendable, Equatable {
        public let name: String
        public let value: Content
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// Adds a text value, without the spaces at its ends, which HTTP/2 does not carry.
    ///
    /// - Throws: where the name is not one HTTP/2 can carry, is the protocol's own, or ends in
    ///   "-bin", and where the value is not printable ASCII.
    public mutating func add(_ value: String, for name: String) throws(MetadataError) {
        let name = try Self.checked(name)
        guard !name.hasSuffix("-bin") else { throw .nameOfBytes(name) }
        guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .unprintableValue(name: name)
        }
        let start = value.drop { $0 == " " }
        let end = start.lastIndex { $0 != " " }.map { start[...$0] } ?? ""
        entries.append(Entry(name: name, value: .ascii(String(end))))
    }

    /// Adds a value of bytes under a name that ends in "-bin".
    public mutating func add(_ value: [UInt8], for name: String) throws(MetadataError) {
        let name = try Self.checked(name)
        guard name.hasSuffix("-bin") else { throw .nameOfText(name) }
        entries.append(Entry(name: name, value: .binary(value)))
    }

    /// The first text value of a name.
    public subscript(name: String) -> String? {
        for entry in entries where entry.name == name {
            if case .ascii(let text) = entry.value { return text }
        }
        return nil
    }

    /// The first value of bytes of a name.
    public subscript(binary name: String) -> [UInt8]? {
        for entry in entries where entry.name == name {
            if case .binary(let bytes) = entry.value { return bytes }
        }
        return nil
    }

    /// Every text value of a name, in order.
    public func values(of name: String) -> [String] {
        entries.compactMap { entry in
            guard entry.name == name, case .ascii(let text) = entry.value else { return nil }
            return text
        }
    }

    /// Appends what the transport read; its names and values were checked by the HTTP/2 layer.
    package mutating func appendReceived(_ name: String, _ value: Content) {
        entries.append(Entry(name: name, value: value))
    }

    /// Takes every value of a name away.
    mutating func removeAll(of name: String) {
        entries.removeAll { $0.name == name }
    }

    private static func checked(_ name: String) throws(MetadataError) -> String {
        let name = name.lowercased()
        let allowed = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
        guard allowed, !name.isEmpty else { throw .invalidName(name) }
        guard !name.hasPrefix("grpc-"), !reserved.contains(name) else { throw .reservedName(name) }
        return name
    }

    static let reserved: Set<String> = [
        "content-type", "te", "user-agent", "connection", "host", "transfer-encoding",
        "keep-alive", "proxy-connection", "upgrade", "content-length",
    ]
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// Text values under names known to be valid; anything else is a bug of the caller.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements {
            do {
                try add(value, for: name)
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }
}

/// Why a value could not become metadata.
public enum MetadataError: Error, Equatable, StatusConvertible, CustomStringConvertible {
    case invalidName(String)
    case reservedName(String)
    case nameOfBytes(String)
    case nameOfText(String)
    case unprintableValue(name: String)

    public var description: String {
        switch self {
        case .invalidName(let name):
            "metadata name \"\(name)\" may hold only a-z, 0-9, '-', '_' and '.'"
        case .reservedName(let name):
            "metadata name \"\(name)\" belongs to the protocol; choose another"
        case .nameOfBytes(let name):
            "metadata name \"\(name)\" ends in \"-bin\" and takes bytes, not text"
        case .nameOfText(let name):
            "metadata name \"\(name)\" must end in \"-bin\" to carry bytes"
        case .unprintableValue(let name):
            "the value of metadata \"\(name)\" is not printable ASCII; use a name ending in \"-bin\""
        }
    }

    public var status: Status { Status(.invalidArgument, description) }
}
