/// Servers on a ring: a key belongs to the first server at or after its own place.
///
/// Each server has many places, so that shares are even, and the keys of one that leaves go to
/// many others; no other key moves.
///
/// - Source: Karger et al. 1997, "Consistent Hashing and Random Trees".
package struct HashRing {
    private struct Place {
        let hash: UInt64
        let member: Int
    }

    private var places: [Place] = []

    package init() {}

    /// - Parameters:
    ///   - members: names of the servers, the same in every process that shall agree on keys.
    ///   - placesPerMember: with 100, shares are off by a tenth (one standard deviation).
    package init(_ members: [String], placesPerMember: Int) {
        places.reserveCapacity(members.count * placesPerMember)
        for (index, member) in members.enumerated() {
            var hash = Self.hash(member)
            for _ in 0..<max(placesPerMember, 1) {
                places.append(Place(hash: hash, member: index))
                hash = Self.mix(hash &+ 0x9E37_79B9_7F4A_7C15)
            }
        }
        places.sort { ($0.hash, $0.member) < ($1.hash, $1.member) }
    }

    /// The first server after a key's place that is accepted. Takes logarithmic time where few are
    /// refused.
    package func owner(of key: UInt64, where accepts: (Int) -> Bool) -> Int? {
        guard !places.isEmpty else { return nil }
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].hash < key { low = middle + 1 } else { high = middle }
        }
        var refused = -1
        for step in 0..<places.count {
            var index = low + step
            if index >= places.count { index -= places.count }
            let member = places[index].member
            if member == refused { continue }
            if accepts(member) { return member }
            refused = member
        }
        return nil
    }

    /// How many calls a server may have open before its keys go on to the next.
    ///
    /// - Source: Mirrokni, Thorup and Zadimoghaddam 2018, "Consistent Hashing with Bounded Loads".
    package static func bound(
        open: Int, servers: Int, _ settings: ConsistentHashing
    ) -> Int {
        let share = settings.loadFactor * Double(open + 1) / Double(max(servers, 1))
        return max(settings.leastCalls, Int(share.rounded(.up)))
    }

    /// The same in every process and at any time.
    ///
    /// - Source: Fowler, Noll and Vo, FNV-1a of 64 bits, its bits mixed after.
    package static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return mix(hash)
    }

    /// - Source: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators",
    ///   with the constants of Stafford's variant 13.
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
