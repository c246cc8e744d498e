/// GPT-2's alphabet: every byte has a printable character that stands for it in the files.
///
/// Printable Latin-1 characters stand for themselves, the other 68 bytes for U+0100 and up.
enum ByteAlphabet {
    /// The UTF-8 of each byte's character.
    static let characters: [[UInt8]] = scalars.map { Array(String(Character($0)).utf8) }

    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 256
        return (0..<256).map { (byte: UInt32) -> Unicode.Scalar in
            let isPrintable =
                (33...126).contains(byte) || (161...172).contains(byte)
                || (174...255).contains(byte)
            defer { if !isPrintable { next += 1 } }
            return Unicode.Scalar(isPrintable ? byte : next) ?? "?"
        }
    }()

    /// The byte of each character up to U+0143, or -1.
    private static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
        return table
    }()

    static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            let character = characters[Int(byte)]
            result.append(character[0])
            if character.count > 1 { result.append(character[1]) }
        }
        return result
    }

    /// The bytes that a piece's characters stand for, or the piece itself where one stands for none.
    static func decode(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        let piece = Array(piece)
        var result: [UInt8] = []
        var index = 0
        while index < piece.count {
            let (value, end) = Scalars.scalar(piece, at: index)
            guard value < 0x144, bytes[Int(value)] >= 0 else { return piece }
            result.append(UInt8(bytes[Int(value)]))
            index = end
        }
        return result
    }
}
