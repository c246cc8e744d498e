import Corpus
import TestKit
import Testing

// Vectors: NIST CSRC, "Examples with intermediate values", and the long message of FIPS 180-2.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func `the published vectors are met`(text: String, hash: String) {
        #expect(SHA256.hexadecimal(of: text) == hash)
    }

    @Test func `a million letters in uneven pieces are met`() {
        var hash = SHA256()
        var left = 1_000_000
        var random = SplitMix64(seed: 1)
        while left > 0 {
            let count = min(left, Int.random(in: 1...50_000, using: &random))
            hash.update([UInt8](repeating: UInt8(ascii: "a"), count: count))
            left -= count
        }
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(hash.finish() == expected)
    }

    @Test func `every length around a block's edge is the same in one piece and in many`() {
        for count in 50...140 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            var hash = SHA256()
            for byte in bytes { hash.update([byte]) }
            #expect(hash.finish() == SHA256.hexadecimal(of: bytes))
        }
    }
}
