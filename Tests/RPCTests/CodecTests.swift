import RPC
import TestKit
import Testing

/// The small forms that headers take.
struct CodecTests {
    @Test(arguments: 0..<64 as Range<UInt64>)
    func `bytes survive base64, padded or not`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<Int(seed)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let text = Base64.encode(bytes)
        #expect(Base64.decode(Array(text.utf8)) == bytes)
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        #expect(Base64.decode(Array((text + padding).utf8)) == bytes)
    }

    @Test(arguments: ["A", "A===", "ab!d", "=abc", "ab=c"])
    func `what is not base64 is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("plain text", "plain text"), ("100 %", "100 %25"), ("a\nb", "a%0Ab"),
        ("déjà", "d%C3%A9j%C3%A0"), ("", ""),
    ])
    func `messages are escaped and read back`(text: String, escaped: String) {
        #expect(PercentEncoding.encode(text) == escaped)
        #expect(PercentEncoding.decode(Array(escaped.utf8)[...]) == text)
    }

    @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%41%", "A%"), ("%c3%a9", "é")])
    func `broken escapes are left as they are`(text: String, read: String) {
        #expect(PercentEncoding.decode(Array(text.utf8)[...]) == read)
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), "1n"), (.milliseconds(1), "1000000n"), (.seconds(1), "1000000u"),
        (.seconds(100), "100000m"), (.seconds(1_000_000), "1000000S"), (.zero, "0n"),
        (.seconds(-5), "0n"), (.nanoseconds(100_000_001), "100001u"),
    ])
    func `timeouts take the finest unit of eight digits`(duration: Duration, text: String) {
        #expect(TimeoutCodec.encode(duration) == text)
        let read = TimeoutCodec.decode(Array(text.utf8)[...])
        #expect(read.map { $0 >= duration } == true)
    }

    @Test(arguments: ["", "5", "S", "123456789S", "5x", "-5S", "5 S"])
    func `what is not a timeout is refused`(text: String) {
        #expect(TimeoutCodec.decode(Array(text.utf8)[...]) == nil)
    }

    @Test func `a timeout of ages is ten years`() {
        #expect(TimeoutCodec.decode(Array("99999999H".utf8)[...]) == .seconds(10 * 365 * 86_400))
    }
}
