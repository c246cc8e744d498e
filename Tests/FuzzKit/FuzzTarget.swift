import HTTP2

/// A part that must hold its properties whatever bytes it gets.
///
/// The tests feed it from seeds, libFuzzer from what it finds to reach more code.
package enum FuzzTarget: UInt8, CaseIterable, Sendable {
    case base64, percentEncoding, timeouts, messages, headers
    /// A session that gets the bytes as they are.
    case serverBytes, clientBytes
    /// A session that gets frames made of the bytes, most of them valid.
    case serverFrames, clientFrames
    case wireMessages, gzip
    /// A request's headers, before a server that answers it.
    case requestHeaders
    /// A connection with its calls that gets raw bytes, and frames of which most are valid.
    case serverConnection, clientConnection

    /// Feeds the part.
    ///
    /// - Throws: a ``FuzzFailure`` where a property does not hold.
    package func run(_ data: [UInt8]) throws {
        var source = ByteSource(data)
        switch self {
        case .base64: try CodecFuzz.base64(data)
        case .percentEncoding: try CodecFuzz.percentEncoding(data)
        case .timeouts: try CodecFuzz.timeouts(data)
        case .messages: try CodecFuzz.messages(&source)
        case .headers: try CodecFuzz.headers(&source)
        case .serverBytes: try SessionFuzz(.server).feedBytes(&source)
        case .clientBytes: try SessionFuzz(.client).feedBytes(&source)
        case .serverFrames: try SessionFuzz(.server).feedFrames(&source)
        case .clientFrames: try SessionFuzz(.client).feedFrames(&source)
        case .wireMessages: try WireFuzz.messages(&source)
        case .gzip: try GzipFuzz.gzip(&source)
        case .requestHeaders: try RequestFuzz.headers(&source)
        case .serverConnection: try ServerFuzz().feed(&source)
        case .clientConnection: try ClientFuzz().feed(&source)
        }
    }
}

/// A property that some bytes broke.
package struct FuzzFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

func require(_ isTrue: Bool, _ text: @autoclosure () -> String) throws {
    if !isTrue { throw FuzzFailure(text()) }
}

/// Bytes taken from the front; zeros once there are none.
struct ByteSource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let part = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return part
    }

    /// So many bytes, the last ones 0 where there are not enough.
    mutating func padded(_ count: Int) -> [UInt8] {
        let part = bytes(count)
        return part + [UInt8](repeating: 0, count: count - part.count)
    }

    mutating func all() -> [UInt8] { bytes(rest.count) }
}
