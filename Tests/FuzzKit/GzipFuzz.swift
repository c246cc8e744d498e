import Gzip

/// The properties of gzip.
enum GzipFuzz {
    private static let pool = GzipPool()

    static func gzip(_ source: inout ByteSource) throws {
        let choice = source.byte()
        let limit = Int(source.byte()) << Int(choice >> 4)
        if choice % 2 == 0 {
            // A member's first bytes, so that more of them are read.
            let header: [UInt8] = choice % 4 == 0 ? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] : []
            try hostile(header + source.all(), limit)
        } else {
            try honest(&source, choice, limit)
        }
    }

    /// Whatever comes out is within the limit, and does not depend on what the state did before,
    /// on the place of the bytes, or on a limit that is not reached.
    private static func hostile(_ bytes: [UInt8], _ limit: Int) throws {
        let used = result(bytes, 0, limit, pool)
        let fresh = result(bytes, 0, limit, GzipPool())
        try require(used == fresh, "\(used) of a used state, \(fresh) of a fresh one")
        let moved = result([7, 7, 7] + bytes, 3, limit, pool)
        try require(moved == used, "\(moved) at another place instead of \(used)")
        guard case .success(let output) = used else { return }
        try require(output.count <= limit, "\(output.count) bytes for \(limit)")
        // The densest code of a byte that deflate has is 258 of them in two bits.
        try require(output.count <= 1032 * bytes.count, "\(bytes.count) became \(output.count)")
        let enough = result(bytes, 0, output.count, pool)
        try require(enough == used, "\(enough) with a limit of exactly \(output.count)")
        guard !output.isEmpty else { return }
        let short = result(bytes, 0, output.count - 1, pool)
        try require(
            short == .failure(.tooLarge(limit: output.count - 1)), "\(short) beyond the limit")
    }

    /// What was compressed comes back; cut off, longer or changed, it does not become other bytes.
    private static func honest(
        _ source: inout ByteSource, _ choice: UInt8, _ limit: Int
    ) throws {
        let changes = source.bytes(3)
        let piece = source.all()
        let bytes = Array(repeatElement(piece, count: 1 + Int(choice >> 1 & 7)).joined())
        let small = try pool.deflate(bytes)
        let whole = result(small, 0, bytes.count, pool)
        try require(whole == .success(bytes), "\(bytes) came back as \(whole)")
        let limited = result(small, 0, limit, pool)
        try require(
            limited == (limit < bytes.count ? .failure(.tooLarge(limit: limit)) : whole),
            "\(limited) of \(bytes.count) bytes with a limit of \(limit)")
        let place = changes.reduce(0) { $0 << 8 | Int($1) } % small.count
        let cut = result(Array(small[..<place]), 0, bytes.count, pool)
        try require(cut == .failure(.truncated), "\(cut) of \(place) bytes of \(small.count)")
        let longer = result(small + changes, 0, bytes.count, pool)
        try require(
            longer == (changes.isEmpty ? whole : .failure(.trailing(count: changes.count))),
            "\(longer) with more behind")
        var broken = small
        broken[place] ^= 1 << (choice >> 5)
        if case .success(let other) = result(broken, 0, bytes.count, pool) {
            try require(other == bytes, "a change at \(place) of \(small) went unnoticed")
        }
    }

    private static func result(
        _ bytes: [UInt8], _ start: Int, _ limit: Int, _ pool: GzipPool
    ) -> Result<[UInt8], GzipError> {
        Result { () throws(GzipError) in try pool.inflate(bytes, from: start, limit: limit) }
    }
}
