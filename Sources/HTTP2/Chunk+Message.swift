extension Chunk {
    /// All of its bytes, in the order in which they are sent.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in 0..<headCount {
            bytes.append(UInt8(truncatingIfNeeded: head >> (8 * UInt64(index))))
        }
        bytes += body
        return bytes
    }
}
