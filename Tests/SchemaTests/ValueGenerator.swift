import Schema
import TestKit
import Wire

/// Makes values of a schema's messages; a value depends on the seed, the message's name and the
/// field's tag alone, so that a new field leaves the others as they were.
struct ValueGenerator {
    enum Style {
        /// About half of the fields, everything from nothing to the extreme.
        case random
        /// Every field, with modest values.
        case full
        /// Every field, with the largest numbers and the longest lengths.
        case extreme
    }

    let schema: SchemaText
    let style: Style

    func message(_ name: String, seed: UInt64) -> FieldValues {
        var values = FieldValues()
        for field in schema.messages[name]?.fields ?? [] {
            let start = name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            var random = SplitMix64(seed: start &+ UInt64(field.tag))
            if style == .random, Bool.random(using: &random) { continue }
            let value = self.value(field.type, &random)
            var isOptional = false
            if case .optional = field.type { isOptional = true }
            if isOptional || !value.isDefault {
                values.entries.append(FieldValues.Entry(field: field, value: value))
            }
        }
        return values
    }

    private func value(_ type: WireType, _ random: inout SplitMix64) -> FieldValue {
        switch type {
        case .uint: .uint(number(&random))
        case .int: .int(signed(&random))
        case .bool: .bool(style == .random ? Bool.random(using: &random) : true)
        case .f32: .f32(Float(float(&random)))
        case .f64: .f64(float(&random))
        case .string: .string(string(&random))
        case .bytes:
            .bytes((0..<count(&random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .message(let name): .message(message(name, seed: random.next()))
        case .enumeration(let name): .uint(choice(name, &random))
        case .optional(let type): value(type, &random)
        case .repeated(let type):
            .repeated((0..<few(&random)).map { _ in value(type, &random) })
        case .packed(let type):
            .packed((0..<count(&random)).map { _ in value(type, &random) })
        case .map(let type): .map(pairs(type, &random))
        case .u32: .u32(UInt32(truncatingIfNeeded: random.next()))
        case .i32: .i32(Int32(truncatingIfNeeded: random.next()))
        case .u64: .u64(random.next())
        }
    }

    private func pairs(_ type: WireType, _ random: inout SplitMix64) -> [FieldValue.Pair] {
        var pairs: [String: FieldValue] = [:]
        for index in 0..<few(&random) {
            let key = index == 1 && style != .full ? "" : "\(string(&random))\(index)"
            pairs[key] = value(type, &random)
        }
        return pairs.map { FieldValue.Pair(key: $0.key, value: $0.value) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private func number(_ random: inout SplitMix64) -> UInt64 {
        switch style {
        case .random: random.next() >> UInt64.random(in: 1...64, using: &random)
        case .full: UInt64.random(in: 1...9_999, using: &random)
        case .extreme: UInt64(Int.max)
        }
    }

    private func signed(_ random: inout SplitMix64) -> Int64 {
        switch style {
        case .random: Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random)
        case .full: Int64.random(in: -99 ... -1, using: &random)
        case .extreme: .min
        }
    }

    /// A number that is exact in binary and short in decimal.
    private func float(_ random: inout SplitMix64) -> Double {
        let eighths = Double(Int.random(in: -8_000...8_000, using: &random))
        switch style {
        case .random: return eighths == 0 ? -0.0 : eighths / 8
        case .full: return eighths.magnitude / 8 + 0.125
        case .extreme: return -16_777_215
        }
    }

    private func choice(_ name: String, _ random: inout SplitMix64) -> UInt64 {
        let count = UInt64(schema.enumerations[name]?.choices.count ?? 1)
        switch style {
        case .random: return UInt64.random(in: 0...count + 2, using: &random)
        case .full: return UInt64.random(in: 1..<count, using: &random)
        case .extreme: return 1_000_000
        }
    }

    private func string(_ random: inout SplitMix64) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz ÅéßЖ中文🙂\u{0}\"\\")
        let allowed = style == .full ? Array(letters.prefix(26)) : letters
        let text = String(
            (0..<count(&random)).map { _ in allowed.randomElement(using: &random) ?? "a" })
        return style == .extreme ? String(repeating: text + "🙂", count: 12) : text
    }

    private func count(_ random: inout SplitMix64) -> Int {
        switch style {
        case .random: Int.random(in: 0...12, using: &random)
        case .full: Int.random(in: 2...6, using: &random)
        case .extreme: Int.random(in: 18...20, using: &random)
        }
    }

    private func few(_ random: inout SplitMix64) -> Int {
        style == .random ? Int.random(in: 0...3, using: &random) : 2
    }
}
