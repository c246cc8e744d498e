import Gzip
import TestKit
import Testing

/// gzip, well formed and hostile.
struct GzipTests {
    private let pool = GzipPool()

    private func text(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: 97 + $0 % 23) }
    }

    @Test(arguments: [0, 1, 1000, 32 << 10, (32 << 10) + 1, 1 << 20])
    func `what was compressed expands to the same`(count: Int) throws {
        let bytes = text(count)
        let small = try pool.deflate(bytes)
        #expect(count < 1000 || small.count < count / 4)
        #expect(Array(small.prefix(2)) == [0x1F, 0x8B])
        #expect(try pool.inflate(small, limit: count) == bytes)
        #expect(try pool.inflate([9, 9] + small, from: 2, limit: count) == bytes)
        #expect(pool.idleCount == 2)
    }

    @Test func `bytes without pattern survive, too`() throws {
        var random = SplitMix64(seed: 5)
        let bytes = (0..<100_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(try pool.inflate(pool.deflate(bytes), limit: bytes.count) == bytes)
    }

    @Test func `a bomb is refused once it passes the limit`() throws {
        let bomb = try pool.deflate([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 1_000_000)
        #expect(throws: GzipError.tooLarge(limit: 1 << 20)) {
            try pool.inflate(bomb, limit: 1 << 20)
        }
        #expect(throws: GzipError.tooLarge(limit: 0)) { try pool.inflate(bomb, limit: 0) }
        // The state that met the bomb serves on.
        #expect(try pool.inflate(pool.deflate([1, 2, 3]), limit: 3) == [1, 2, 3])
    }

    @Test func `every way of cutting it off is noticed`() throws {
        let whole = try pool.deflate(text(500))
        for count in 0..<whole.count {
            #expect(throws: GzipError.truncated, "\(count) of \(whole.count)") {
                try pool.inflate(Array(whole[..<count]), limit: 1 << 20)
            }
        }
        #expect(throws: GzipError.trailing(count: 3)) {
            try pool.inflate(whole + [1, 2, 3], limit: 1 << 20)
        }
    }

    @Test func `every byte that changes is noticed, or is of no weight`() throws {
        let bytes = text(500)
        let whole = try pool.deflate(bytes)
        for index in whole.indices {
            for bit in 0..<8 {
                var broken = whole
                broken[index] ^= 1 << UInt8(bit)
                do {
                    // The header's time, system and level, and the bits that fill the last byte,
                    // say nothing about the content.
                    let result = try pool.inflate(broken, limit: 1 << 20)
                    #expect(result == bytes, "byte \(index), bit \(bit)")
                } catch {
                    #expect(error != .noMemory)
                }
            }
        }
    }

    @Test func `many tasks use one pool`() async throws {
        let pool = pool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let bytes = [UInt8](repeating: UInt8(number), count: 10_000 + number)
                    for _ in 0..<20 {
                        let same = try pool.inflate(pool.deflate(bytes), limit: bytes.count)
                        #expect(same == bytes)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(pool.idleCount <= 16)
    }
}
