/// The form of `grpc-message`: printable ASCII but "%" as it is, every other byte as "%XX", and
/// spaces at either end, too, which HTTP/2 allows in no header.
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%")
    }

    /// As much of the text, in whole characters of Unicode, as `limit` bytes hold once encoded.
    package static func encode(_ text: String, upTo limit: Int) -> String {
        var (count, kept) = (0, text.unicodeScalars.startIndex)
        for index in text.unicodeScalars.indices {
            for byte in UTF8.encode(text.unicodeScalars[index]) ?? UTF8.encodedReplacementCharacter
            {
                // Spaces are escaped at either end, and this may become one.
                count += isPlain(byte) && byte != UInt8(ascii: " ") ? 1 : 3
            }
            guard count <= limit else { return encode(String(text[..<kept])) }
            kept = text.unicodeScalars.index(after: index)
        }
        return encode(text)
    }

    package static func encode(_ text: String) -> String {
        let space = UInt8(ascii: " ")
        let isInside = text.utf8.first != space && text.utf8.last != space
        if isInside, text.utf8.allSatisfy(isPlain) { return text }
        var encoded: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            let isEnd = index == 0 || index == text.utf8.count - 1
            if isPlain(byte), byte != space || !isEnd {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Never fails: what is not an escape stays as it is.
    package static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        func value(_ digit: UInt8) -> UInt8? {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        var decoded: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
                let high = value(bytes[index + 1]), let low = value(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(byte)
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
