/// Finds records that were seen before, by what they ask and answer.
public struct Deduplicator: Sendable {
    private var seen: Set<String> = []

    public init() {}

    /// Whether the record is the first of its kind.
    public mutating func isNew(_ record: JSON) -> Bool {
        seen.insert(Self.key(of: record)).inserted
    }

    /// The hash of a record's content: the bytes of its instruction, input and output or outputs
    /// where it has them, of all of it elsewhere. Labels and counters do not make a record new.
    public static func key(of record: JSON) -> String {
        guard record["instruction"] != nil else {
            return SHA256.hexadecimal(of: record.bytes())
        }
        let parts = ["instruction", "input", "output", "outputs"].map { record[$0] ?? .null }
        return SHA256.hexadecimal(of: JSON.array(parts).bytes())
    }
}
