import TestKit
import Testing
import Wire

/// A message with a field of every kind, against bytes that are none.
struct HostileBytesTests {
    static let valid = Everything.with {
        $0.count = 300
        $0.optionalCount = 0
        $0.wide = .max
        $0.signed = .min
        $0.flag = true
        $0.single = 1.5
        $0.optionalDouble = -0.0
        $0.text = "naïve 🙂"
        $0.raw = [0, 255]
        $0.colour = .green
        $0.leaf.name = "leaf"
        $0.optionalLeaf = Leaf()
        $0.leaves = [Leaf(), .with { $0.size = 9 }]
        $0.texts = ["", "two"]
        $0.floats = [1, 2]
        $0.integers = [-1]
        $0.names = ["a": "b", "": "c"]
        $0.shares = ["x": 0.5]
    }

    @Test func `every cut of a message is refused or is a shorter message`() {
        let bytes = Self.valid.encoded()
        for count in bytes.indices {
            check(Array(bytes[..<count]))
        }
    }

    @Test func `every single flipped bit is refused or is another message`() {
        let bytes = Self.valid.encoded()
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                check(flipped)
            }
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `random bytes are refused or are a message`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1_000 {
            let most = UInt8.random(in: 1...255, using: &random)
            check(
                (0..<Int.random(in: 0...64, using: &random)).map { _ in
                    UInt8.random(in: 0...most, using: &random)
                })
        }
    }

    private func check(_ bytes: [UInt8]) {
        do throws(WireError) {
            let canonical = try Everything(decoding: bytes).encoded()
            if canonical.count > bytes.count {
                Issue.record("grew: \(bytes)")
            }
            if try Everything(decoding: canonical).encoded() != canonical {
                Issue.record("two encodings: \(bytes)")
            }
        } catch {
            if !(0...bytes.count).contains(error.offset) || error.cause.isEmpty {
                Issue.record("\(error) for \(bytes)")
            }
        }
    }
}
