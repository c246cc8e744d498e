import Wire

/// Bytes without fields, so that a benchmark measures calls and not codecs.
struct BenchmarkMessage: WireMessage {
    static let wireName = "hone.benchmark.Message"
    private var bytes: [UInt8] = []

    init() {}

    init(count: Int) {
        bytes = [UInt8](repeating: 0x5A, count: count)
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        self.bytes = bytes
    }

    mutating func code(with coder: inout WireCoder) {}

    func encoded() -> [UInt8] { bytes }
}
