import Wire

/// A field of every kind.
struct Everything: WireMessage {
    static let wireName = "hone.tests.Everything"
    var count = 0
    var optionalCount: Int?
    var wide: UInt64 = 0
    var optionalWide: UInt64?
    var signed = 0
    var flag = false
    var optionalFlag: Bool?
    var single: Float = 0
    var double = 0.0
    var optionalDouble: Double?
    var text = ""
    var optionalText: String?
    var raw: [UInt8] = []
    var colour = Colour.none
    var leaf = Leaf()
    var optionalLeaf: Leaf?
    var leaves: [Leaf] = []
    var texts: [String] = []
    var floats: [Float] = []
    var doubles: [Double] = []
    var words: [UInt32] = []
    var integers: [Int32] = []
    var longs: [UInt64] = []
    var names: [String: String] = [:]
    var counts: [String: Int] = [:]
    var shares: [String: Double] = [:]

    mutating func code(with coder: inout WireCoder) {
        coder.uint(1, "count", &count)
        coder.uint(2, "optionalCount", &optionalCount)
        coder.uint(3, "wide", &wide)
        coder.uint(4, "optionalWide", &optionalWide)
        coder.int(5, "signed", &signed)
        coder.bool(6, "flag", &flag)
        coder.bool(7, "optionalFlag", &optionalFlag)
        coder.f32(8, "single", &single)
        coder.f64(9, "double", &double)
        coder.f64(10, "optionalDouble", &optionalDouble)
        coder.string(11, "text", &text)
        coder.string(12, "optionalText", &optionalText)
        coder.bytes(13, "raw", &raw)
        coder.enumeration(14, "colour", &colour)
        coder.message(15, "leaf", &leaf)
        coder.message(16, "optionalLeaf", &optionalLeaf)
        coder.repeated(17, "leaves", &leaves)
        coder.repeated(18, "texts", &texts)
        coder.packed(19, "floats", &floats)
        coder.packed(20, "doubles", &doubles)
        coder.packed(21, "words", &words)
        coder.packed(22, "integers", &integers)
        coder.packed(23, "longs", &longs)
        coder.map(24, "names", &names)
        coder.map(25, "counts", &counts)
        coder.map(200, "shares", &shares)
    }
}

struct Leaf: WireMessage {
    static let wireName = "hone.tests.Leaf"
    var name = ""
    var size = 0

    mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.uint(2, "size", &size)
    }
}

/// Takes much memory for few bytes.
struct Crowd: WireMessage {
    static let wireName = "hone.tests.Crowd"
    var members: [Everything] = []

    mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "members", &members)
    }
}

/// Nests as deeply as anyone likes.
struct Tree: WireMessage {
    static let wireName = "hone.tests.Tree"
    static let maximumBytes = 1 << 10
    var children: [Tree] = []

    mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "children", &children)
    }
}

/// Forwarded: keeps what it does not know.
struct Letter: WireMessage {
    static let wireName = "hone.tests.Letter"
    var second = ""
    var fourth: [Letter] = []
    var unknown = UnknownFields()

    mutating func code(with coder: inout WireCoder) {
        coder.keep(&unknown)
        coder.string(2, "second", &second)
        coder.repeated(4, "fourth", &fourth)
    }
}

enum Colour: WireEnum {
    case none, red, green
    case unknown(UInt64)
    static let wireName = "hone.tests.Colour"
    // The third colour is no longer used.
    static let known: [Self] = [.none, .red, .unknown(2), .green]
    var unknownNumber: UInt64? { if case .unknown(let number) = self { number } else { nil } }
}
