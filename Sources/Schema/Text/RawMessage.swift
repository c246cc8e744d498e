package import Wire

/// A message of any type, as its bytes: for who knows the schema's text only.
package struct RawMessage: WireMessage {
    package static let wireName = "hone.RawMessage"
    /// The largest limit of any message; the server holds each to its own.
    package static let maximumBytes = 1 << 30
    package var bytes: [UInt8] = []

    package init() {}

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    package mutating func code(with coder: inout WireCoder) {}

    package func encoded() -> [UInt8] { bytes }
}
