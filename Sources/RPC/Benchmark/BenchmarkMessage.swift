import Wire

/// Bytes without fields, so that a benchmark measures calls and not codecs.
struct BenchmarkMessage: WireMessage {
    static let wireName = "hone.benchmark.Message"
    private var bytes: [UInt8] = []

    init() {}

    init(count: Int) {
        bytes = [UInt8](repeating: 0x5A, count: count)
    }

    /// A number of eight bytes.
    init(number: UInt64) {
        bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    var number: UInt64 { bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }

    init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    mutating func code(with coder: inout WireCoder) {}

    func encoded() -> [UInt8] { bytes }
}
