/// A hash table from one whole number to another, in two flat arrays.
///
/// Keys are packed pairs of ids or (trie node, byte); the all-ones key is reserved.
struct IntegerTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private var mask: Int
    private var count = 0

    private static let empty = UInt64.max

    init(expecting entries: Int = 0) {
        var capacity = 16
        while capacity < entries * 2 { capacity *= 2 }
        keys = Array(repeating: Self.empty, count: capacity)
        values = Array(repeating: 0, count: capacity)
        mask = capacity - 1
    }

    subscript(key: UInt64) -> UInt64? {
        get {
            var slot = Self.slot(key, mask)
            while true {
                let there = keys[slot]
                if there == key { return values[slot] }
                if there == Self.empty { return nil }
                slot = (slot + 1) & mask
            }
        }
        set {
            guard let newValue else { return }
            if (count + 1) * 2 > keys.count { grow() }
            var slot = Self.slot(key, mask)
            while keys[slot] != Self.empty && keys[slot] != key { slot = (slot + 1) & mask }
            if keys[slot] == Self.empty { count += 1 }
            keys[slot] = key
            values[slot] = newValue
        }
    }

    private static func slot(_ key: UInt64, _ mask: Int) -> Int {
        var mixed = key &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 32
        return Int(truncatingIfNeeded: mixed) & mask
    }

    private mutating func grow() {
        var larger = IntegerTable(expecting: keys.count)
        for index in keys.indices where keys[index] != Self.empty {
            larger[keys[index]] = values[index]
        }
        self = larger
    }
}

/// The pieces of a vocabulary: bytes by id, and id by bytes.
///
/// Strings are not used as keys: Swift compares them by canonical equivalence, and vocabularies
/// hold both spellings of many letters.
struct PieceTable: Sendable {
    private var storage: [UInt8] = []
    private var starts: [Int32] = []
    private var lengths: [Int32] = []
    private var slots: [Int32]
    private var mask: Int
    private var findable = 0

    /// One more than the largest id.
    var count: Int { starts.count }

    init(expecting entries: Int = 0) {
        var capacity = 64
        while capacity < entries * 2 { capacity *= 2 }
        slots = Array(repeating: -1, count: capacity)
        mask = capacity - 1
    }

    /// Adds a piece; with `findable` false it has bytes but is never found by them.
    mutating func insert(_ piece: [UInt8], id: TokenID, findable isFindable: Bool = true) {
        let index = Int(id)
        while starts.count <= index {
            starts.append(0)
            lengths.append(-1)
        }
        starts[index] = Int32(storage.count)
        lengths[index] = Int32(piece.count)
        storage.append(contentsOf: piece)
        guard isFindable else { return }
        if (findable + 1) * 2 > slots.count { grow() }
        place(piece, from: 0, to: piece.count, id: Int32(index))
    }

    private mutating func place(_ bytes: [UInt8], from: Int, to: Int, id: Int32) {
        var slot = Self.hash(bytes, from, to) & mask
        while slots[slot] >= 0 {
            // The first of two equal pieces stays: its id is what encoders give.
            if isEqual(slots[slot], bytes, from, to) { return }
            slot = (slot + 1) & mask
        }
        slots[slot] = id
        findable += 1
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: -1, count: old.count * 2)
        mask = slots.count - 1
        findable = 0
        for id in old where id >= 0 {
            let start = Int(starts[Int(id)])
            place(storage, from: start, to: start + Int(lengths[Int(id)]), id: id)
        }
    }

    func id(of bytes: [UInt8]) -> TokenID? {
        id(of: bytes, from: 0, to: bytes.count)
    }

    func id(of bytes: [UInt8], from: Int, to: Int) -> TokenID? {
        var slot = Self.hash(bytes, from, to) & mask
        while slots[slot] >= 0 {
            if isEqual(slots[slot], bytes, from, to) { return slots[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The bytes of an id as they stand in the file, or nil where the id is a gap.
    func bytes(of id: TokenID) -> ArraySlice<UInt8>? {
        let index = Int(id)
        guard index >= 0, index < starts.count, lengths[index] >= 0 else { return nil }
        return storage[Int(starts[index])..<Int(starts[index]) + Int(lengths[index])]
    }

    private func isEqual(_ id: Int32, _ bytes: [UInt8], _ from: Int, _ to: Int) -> Bool {
        guard Int(lengths[Int(id)]) == to - from else { return false }
        var here = Int(starts[Int(id)])
        var there = from
        while there < to {
            if storage[here] != bytes[there] { return false }
            here += 1
            there += 1
        }
        return true
    }

    private static func hash(_ bytes: [UInt8], _ from: Int, _ to: Int) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var index = from
        while index < to {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
            index += 1
        }
        hash ^= hash >> 29
        return Int(truncatingIfNeeded: hash & 0x7FFF_FFFF_FFFF)
    }
}

/// A prefix tree over bytes; finds all pieces that begin at a position.
struct ByteTrie: Sendable {
    private var children = IntegerTable()
    private var values: [Int32] = [-1]

    var isEmpty: Bool { values.count == 1 }

    mutating func insert(_ piece: some Sequence<UInt8>, value: Int32) {
        var node: UInt64 = 0
        for byte in piece {
            let key = node << 8 | UInt64(byte)
            if let child = children[key] {
                node = child
            } else {
                node = UInt64(values.count)
                children[key] = node
                values.append(-1)
            }
        }
        if values[Int(node)] < 0 { values[Int(node)] = value }
    }

    /// One step down: the child and its value (-1 for none), or nil where no piece goes on.
    func step(_ node: UInt64, _ byte: UInt8) -> (node: UInt64, value: Int32)? {
        guard let child = children[node << 8 | UInt64(byte)] else { return nil }
        return (child, values[Int(child)])
    }

    /// The longest piece at a position: its value and its end.
    func longest(_ bytes: [UInt8], at start: Int) -> (value: Int32, end: Int)? {
        guard !isEmpty else { return nil }
        var node: UInt64 = 0
        var found: (value: Int32, end: Int)?
        var index = start
        while index < bytes.count, let next = step(node, bytes[index]) {
            index += 1
            node = next.node
            if next.value >= 0 { found = (next.value, index) }
        }
        return found
    }
}
