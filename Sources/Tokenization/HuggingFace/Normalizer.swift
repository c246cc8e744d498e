internal import FoundationEssentials

/// The normalizers of a `tokenizer.json`.
indirect enum Normalizer: Sendable {
    case sequence([Normalizer])
    case prepend([UInt8])
    case replace([UInt8], with: [UInt8])
    case composed
    case decomposed
    case lowercase
    case strip(left: Bool, right: Bool)
    case characterMap(CharacterMap)

    init?(_ tree: JSONTree?) throws(TokenizationError) {
        guard let tree, let type = tree["type"]?.text else { return nil }
        switch type {
        case "Sequence":
            var parts: [Normalizer] = []
            for element in tree["normalizers"]?.elements ?? [] {
                if let part = try Normalizer(element) { parts.append(part) }
            }
            self = .sequence(parts)
        case "Prepend": self = .prepend(Array((tree["prepend"]?.text ?? "").utf8))
        case "Replace":
            guard let pattern = tree["pattern"]?["String"]?.text, !pattern.isEmpty else {
                throw .unsupported(
                    feature: "Replace pattern", value: tree["pattern"]?["Regex"]?.text ?? "")
            }
            self = .replace(
                Array(pattern.utf8), with: Array((tree["content"]?.text ?? "").utf8))
        case "NFC": self = .composed
        case "NFD": self = .decomposed
        case "Lowercase": self = .lowercase
        case "Strip":
            self = .strip(
                left: tree["strip_left"]?.flag ?? true, right: tree["strip_right"]?.flag ?? true)
        case "Precompiled":
            guard let map = tree["precompiled_charsmap"]?.text,
                let data = Data(base64Encoded: map)
            else {
                throw .unsupported(feature: "precompiled character map", value: "not base64")
            }
            self = .characterMap(try CharacterMap(Array(data)))
        default: throw .unsupported(feature: "normalizer", value: type)
        }
    }

    func apply(_ text: [UInt8]) -> [UInt8] {
        switch self {
        case .sequence(let parts): return parts.reduce(text) { $1.apply($0) }
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        case .replace(let pattern, let content):
            return Self.replace(text, pattern, with: content)
        case .composed: return Normalization.composed(text)
        case .decomposed: return Normalization.decomposed(text)
        case .lowercase: return Array(String(decoding: text, as: UTF8.self).lowercased().utf8)
        case .strip(let left, let right):
            var start = 0
            if left { start = Scalars.run(text, of: .space, from: 0) }
            var end = text.count
            while right, end > start {
                var last = end - 1
                while last > start, text[last] & 0xC0 == 0x80 { last -= 1 }
                guard Scalars.classify(text, at: last).kind == .space else { break }
                end = last
            }
            return Array(text[start..<end])
        case .characterMap(let map): return map.apply(text)
        }
    }

    static func replace(_ text: [UInt8], _ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 4)
        var index = 0
        while index < text.count {
            if Search.matches(text, pattern, at: index) {
                result.append(contentsOf: content)
                index += pattern.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }
}

/// Plain substring search over bytes.
enum Search {
    static func matches(_ text: [UInt8], _ pattern: [UInt8], at index: Int) -> Bool {
        guard text[index] == pattern[0], index + pattern.count <= text.count else { return false }
        var offset = 1
        while offset < pattern.count {
            if text[index + offset] != pattern[offset] { return false }
            offset += 1
        }
        return true
    }
}
