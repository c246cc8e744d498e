import FuzzKit
import TestKit
import Testing

/// Random and mutated bytes against codecs and sessions: properties hold, and nothing traps.
@Suite(.timeLimit(.minutes(5)))
struct FuzzTests {
    /// How many cases a target gets; more than 100,000 in all.
    private static func count(_ target: FuzzTarget) -> Int {
        let cases =
            switch target {
            case .base64, .percentEncoding, .timeouts, .messages, .headers: 18_000
            case .serverBytes, .clientBytes, .serverFrames, .clientFrames, .gzip: 5000
            case .wireMessages: 20_000
            case .requestHeaders, .serverConnection, .clientConnection: 3000
            }
        return Toll.isSanitized ? cases / 10 : cases
    }

    @Test(arguments: FuzzTarget.allCases)
    func `any bytes leave a part's properties whole`(of target: FuzzTarget) throws {
        var random = SplitMix64(seed: 0xF0_0D + UInt64(target.rawValue))
        var corpus = Self.seeds(target)
        for number in 0..<Self.count(target) {
            var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            if number % 3 == 0 { bytes = Self.random(&random) }
            Self.mutate(&bytes, &random)
            do {
                try target.run(bytes)
            } catch {
                Issue.record("case \(number): \(error), bytes \(bytes)")
                return
            }
            if number % 50 == 0 { corpus[Int.random(in: 0..<corpus.count, using: &random)] = bytes }
        }
    }

    /// What fuzzing has found stays a case.
    @Test(arguments: found)
    func `what was found stays mended`(target: FuzzTarget, bytes: [UInt8]) throws {
        try target.run(bytes)
    }

    static let found: [(FuzzTarget, [UInt8])] = [
        (.timeouts, Array("99999999H".utf8)), (.timeouts, Array("0n".utf8)),
        (.base64, Array("A=A".utf8)), (.percentEncoding, Array("%".utf8)),
        (.messages, [0, 5, 0, 0, 0, 0, 0]), (.clientFrames, []), (.serverFrames, [0x41, 1]),
        // A tab between the members of a trace's state.
        (.requestHeaders, [2, 2, 0, 6, 1]),
    ]

    private static func seeds(_ target: FuzzTarget) -> [[UInt8]] {
        switch target {
        case .base64: [Array("AAECAw".utf8), Array("/+-_=".utf8), Array("Zm9vYg==".utf8)]
        case .percentEncoding: [Array("100 %25 d%C3%A9j%c3%a0".utf8), Array("%%%4".utf8)]
        case .timeouts: [Array("20m".utf8), Array("99999999H".utf8), Array("1S".utf8)]
        case .messages: [[10, 20] + Frame.prefixed([1, 2, 3]) + Frame.prefixed([4])]
        case .headers: [[0, 1, 48, 1, 5] + Array("hello".utf8) + [3, 4] + Array("AAEC".utf8)]
        case .serverBytes:
            [
                [1, 200] + Frame.call(1), [1, 200] + Frame.settings([(4, 9)]) + Frame.call(1),
                [1, 250] + Frame.headers(1, HPACK.request(), 0),
            ]
        case .clientBytes:
            [
                [1, 90] + Frame.headers(1, HPACK.response) + Frame.data(1, [1, 2, 3])
                    + Frame.headers(1, HPACK.success, 5), [1, 20] + Frame.goAway(last: 1, 0),
            ]
        case .serverFrames, .clientFrames:
            [
                [0x41, 1, 1, 1, 0x00, 1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9],
                [0x01, 1, 7, 4, 4, 4, 8, 1, 1],
            ]
        case .wireMessages:
            [
                [8, 2, 9, 0, 3, 70, 1, 65, 7, 200, 9, 1, 2, 3, 4], [19, 1, 5, 1, 2, 3, 4, 5, 6],
                [200, 0, 1, 2, 0x61, 0x62, 2, 1, 7], [0xFF, 3, 4, 1, 66, 2, 77, 1, 9, 1, 5],
            ]
        case .gzip:
            [[1, 40, 1, 2, 3] + Array("hello".utf8), [0, 90, 3, 0], [2, 9, 0x1F, 0x8B, 8]]
        case .requestHeaders:
            [
                [4, 1, 0, 5, 1, 0, 6, 2, 0], [3, 4, 2, 8, 1, 12, 40],
                [9, 2, 1, 6, 3, 10, 2, 14, 1],
            ]
        case .serverConnection:
            [
                [1, 16, 0, 12, 0, 3, 1, 2, 3, 16, 0, 18, 0x88, 2, 9, 9, 16, 3, 0, 1, 7, 16, 6],
                [1, 16, 0, 26, 0, 2, 70, 90, 16, 9, 255, 255, 16, 0, 28, 0, 0, 16, 0x98, 0, 8],
                [1, 16, 0, 3, 0x98, 0, 16, 3, 0x90, 0, 16, 3, 0x98, 1, 5, 1, 16, 7, 0, 0, 0],
            ]
        case .clientConnection:
            [
                [5, 32, 2, 0, 0, 1, 9, 0, 32, 2, 1, 0, 2, 1, 2, 0, 32, 2, 2, 0, 0, 14, 32, 7, 46],
                [5, 32, 9, 255, 255, 32, 1, 2, 1, 32, 3, 1, 0x82, 0, 8, 32, 7, 1, 0, 32, 12, 0, 7],
            ]
        }
    }

    private static func random(_ random: inout SplitMix64) -> [UInt8] {
        (0..<Int.random(in: 0...300, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let byte = UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.insert(byte, at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes[place] ^= 1 << (byte & 7)
            case 3 where place < bytes.count: bytes[place] = byte
            case 4: bytes += bytes.suffix(Int(byte) % 40)
            default: bytes = Array(bytes.prefix(max(place, 4)))
            }
        }
    }
}
