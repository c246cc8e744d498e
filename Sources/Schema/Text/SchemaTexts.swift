import Wire

/// The texts of `proto/`, so that a server can tell what it speaks.
///
/// The tests compare them with the files, and write them anew where they are asked to record.
package enum SchemaTexts {
    /// Each after those it uses.
    package static let all: [(name: String, text: String)] = [
        ("common", common), ("jobs", jobs), ("status", status), ("data", data),
        ("augmentation", augmentation), ("trainer", trainer), ("inference", inference),
        ("evaluator", evaluator), ("gateway", gateway), ("admin", admin),
    ]

    /// The texts that declare these services, and those they use, each after those it uses.
    package static func declaring(services: Set<String>) throws -> [SchemaSource] {
        let files = try all.map { try SchemaFile(name: $0.name, text: $0.text) }
        var wanted: Set<String> = []
        // Backwards, so that a text is known to be wanted before those it uses are looked at.
        for file in files.reversed() {
            let declared = file.blocks.filter { $0.kind == "service" }.map(\.name)
            if !services.isDisjoint(with: declared) || wanted.contains(file.package) {
                wanted.insert(file.package)
                wanted.formUnion(file.uses)
            }
        }
        return zip(files, all).filter { wanted.contains($0.0.package) }.map { file, source in
            SchemaSource.with {
                $0.package = file.package
                $0.text = source.text
            }
        }
    }

    /// FNV-1a of the texts, 16 hexadecimal digits.
    ///
    /// - Source: Fowler, Noll and Vo, draft-eastlake-fnv, 64 bits.
    package static func hash(of sources: [SchemaSource]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in sources.lazy.flatMap(\.text.utf8) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
