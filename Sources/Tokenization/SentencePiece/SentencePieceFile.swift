/// The parts of a SentencePiece `tokenizer.model` that encoding and decoding need.
///
/// The file is one protocol-buffers message, read by hand:
///
///     ModelProto      1 repeated piece   2 trainer   3 normalizer
///     piece           1 text   2 score (float)   3 type
///     trainer         3 kind   24 suffix space   35 byte fall-back   40-43 unk, bos, eos, pad
///                     44 surface of unk
///     normalizer      2 character map   3 dummy prefix   4 squeeze spaces   5 escape spaces
struct SentencePieceFile {
    enum PieceType: UInt8, Sendable { case normal = 1, unknown, control, userDefined, unused, byte }
    enum Kind: UInt64 { case unigram = 1, bpe = 2 }
    struct Piece {
        var text: [UInt8] = []
        var score: Float = 0
        var type = PieceType.normal
    }

    var pieces: [Piece] = []
    var kind = Kind.unigram
    var isSpaceSuffix = false
    var hasByteFallback = false
    var unknownID: TokenID = 0
    var beginID: TokenID = 1
    var endID: TokenID = 2
    var paddingID: TokenID = -1
    var unknownSurface = Array(" \u{2047} ".utf8)
    var characterMap: [UInt8] = []
    var addsDummyPrefix = true
    var removesExtraSpaces = true
    var escapesSpaces = true

    init(_ bytes: [UInt8]) throws(TokenizationError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let range)): pieces.append(try Self.piece(reader.part(range)))
            case (2, .bytes(let range)): try readTrainer(reader.part(range))
            case (3, .bytes(let range)): try readNormalizer(reader.part(range))
            default: break
            }
        }
        guard !pieces.isEmpty else { throw reader.failure("it holds no pieces") }
    }

    private static func piece(_ part: ProtobufReader) throws(TokenizationError) -> Piece {
        var reader = part
        var piece = Piece()
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let range)): piece.text = Array(reader.bytes[range])
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(let value)):
                guard let type = PieceType(rawValue: UInt8(truncatingIfNeeded: value)) else {
                    throw reader.failure("piece type \(value)")
                }
                piece.type = type
            default: break
            }
        }
        return piece
    }

    private mutating func readTrainer(_ part: ProtobufReader) throws(TokenizationError) {
        var reader = part
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (3, .varint(let value)):
                guard let known = Kind(rawValue: value) else {
                    throw .unsupported(feature: "SentencePiece model type", value: "\(value)")
                }
                kind = known
            case (24, .varint(let value)): isSpaceSuffix = value != 0
            case (35, .varint(let value)): hasByteFallback = value != 0
            case (40, .varint(let value)): unknownID = TokenID(truncatingIfNeeded: value)
            case (41, .varint(let value)): beginID = TokenID(truncatingIfNeeded: value)
            case (42, .varint(let value)): endID = TokenID(truncatingIfNeeded: value)
            case (43, .varint(let value)): paddingID = TokenID(truncatingIfNeeded: value)
            case (44, .bytes(let range)): unknownSurface = Array(reader.bytes[range])
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ part: ProtobufReader) throws(TokenizationError) {
        var reader = part
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (2, .bytes(let range)): characterMap = Array(reader.bytes[range])
            case (3, .varint(let value)): addsDummyPrefix = value != 0
            case (4, .varint(let value)): removesExtraSpaces = value != 0
            case (5, .varint(let value)): escapesSpaces = value != 0
            default: break
            }
        }
    }
}

/// Walks the fields of one protocol-buffers message.
struct ProtobufReader {
    enum Value { case varint(UInt64), fixed32(UInt32), fixed64(UInt64), bytes(Range<Int>) }

    let bytes: [UInt8]
    private var offset: Int
    private let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    func part(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(bytes, range) }

    func failure(_ cause: String) -> TokenizationError {
        .malformed(format: "SentencePiece model", offset: offset, cause: cause)
    }

    mutating func next() throws(TokenizationError) -> (number: UInt64, value: Value)? {
        guard offset < end else { return nil }
        let tag = try varint()
        switch tag & 7 {
        case 0: return (tag >> 3, .varint(try varint()))
        case 1: return (tag >> 3, .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - offset) else { throw failure("a field runs past the end") }
            let range = offset..<offset + Int(length)
            offset = range.upperBound
            return (tag >> 3, .bytes(range))
        case 5: return (tag >> 3, .fixed32(UInt32(try fixed(4))))
        default: throw failure("wire type \(tag & 7)")
        }
    }

    private mutating func varint() throws(TokenizationError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw failure("a number is cut or too long")
    }

    private mutating func fixed(_ size: Int) throws(TokenizationError) -> UInt64 {
        guard size <= end - offset else { throw failure("a fixed-size number is cut") }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += size
        return value
    }
}
