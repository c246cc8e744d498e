import Schema
import Wire

/// Makes messages' bytes of a source's: fields of the right types in any order, and others.
struct WireMaker {
    var source: ByteSource

    private static let fieldsByName: [String: [WireField]] = Dictionary(
        (Catalogue.messages + [Letter.self]).map { ($0.wireName, $0.fields) },
        uniquingKeysWith: { first, _ in first })

    init(_ source: ByteSource) {
        self.source = source
    }

    mutating func message(_ fields: [WireField], depth: Int = 0) -> [UInt8] {
        var writer = WireWriter()
        for _ in 0..<source.byte() % 12 where !source.isEmpty && depth < 40 {
            let choice = Int(source.byte())
            if choice >= 240 || fields.isEmpty {
                writer.bytes(UInt32(source.byte()) + 1, source.bytes(Int(source.byte() % 16)))
            } else {
                let field = fields[choice % fields.count]
                writer.bytes(field.tag, payload(field.type, depth))
            }
        }
        return writer.bytes
    }

    private mutating func payload(_ type: WireType, _ depth: Int) -> [UInt8] {
        switch type {
        case .uint, .int, .enumeration: return varint()
        case .bool: return [source.byte() & 1]
        case .f32, .u32, .i32: return source.padded(4)
        case .f64, .u64: return source.padded(8)
        case .string:
            let text = String(decoding: source.bytes(Int(source.byte() % 20)), as: UTF8.self)
            return Array(text.utf8)
        case .bytes: return source.bytes(Int(source.byte() % 20))
        case .message(let name):
            return message(Self.fieldsByName[name] ?? [], depth: depth + 1)
        case .optional(let type), .repeated(let type): return payload(type, depth)
        case .packed(let type):
            var all: [UInt8] = []
            for _ in 0..<source.byte() % 5 { all += payload(type, depth) }
            return all
        case .map(let type):
            return message(
                [
                    WireField(tag: 1, name: "key", type: .string),
                    WireField(tag: 2, name: "value", type: type),
                ], depth: depth)
        }
    }

    private mutating func varint() -> [UInt8] {
        let choice = source.byte()
        var value: UInt64 = 0
        for byte in source.bytes(Int(choice % 9)) { value = value << 8 | UInt64(byte) }
        var writer = WireWriter()
        writer.writeVarint(choice < 64 ? UInt64(choice % 12) : value)
        return writer.bytes
    }
}

/// Keeps what it does not know, and so do those in it.
struct Letter: WireMessage {
    static let wireName = "hone.fuzz.Letter"
    var number = 0
    var inner: [Letter] = []
    var text = ""
    var unknown = UnknownFields()

    mutating func code(with coder: inout WireCoder) {
        coder.keep(&unknown)
        coder.uint(3, "number", &number)
        coder.repeated(5, "inner", &inner)
        coder.string(7, "text", &text)
    }
}
