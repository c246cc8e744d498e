import CZlib

/// zlib's state for expanding, with a piece of memory that its output passes through.
///
/// Sendable because the pool gives it to one task at a time.
@safe final class Inflater: @unchecked Sendable {
    static let pieceBytes = 32 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutableBufferPointer<UInt8>

    init() throws(GzipError) {
        // zlib keeps the stream's address, so it lives outside of this object.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe piece = .allocate(capacity: Self.pieceBytes)
        guard unsafe hone_inflate_init(stream) == Z_OK else { throw .noMemory }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        unsafe piece.deallocate()
    }

    func inflate(
        _ bytes: [UInt8], from start: Int, limit: Int
    ) throws(GzipError) -> [UInt8] {
        precondition(
            start <= bytes.count && bytes.count <= Int(UInt32.max),
            "\(start) of \(bytes.count) bytes")
        guard unsafe inflateReset(stream) == Z_OK else { throw .corrupt }
        var output: [UInt8] = []
        let failure: GzipError? = unsafe bytes.withUnsafeBufferPointer { input in
            // The window starts within the array, whose bytes zlib only reads.
            unsafe stream.pointee.next_in = input.baseAddress.map {
                unsafe UnsafeMutablePointer(mutating: $0 + start)
            }
            unsafe stream.pointee.avail_in = UInt32(input.count - start)
            return expand(&output, limit: limit)
        }
        if let failure { throw failure }
        return output
    }

    /// Runs until the member's end; what went wrong, if something did.
    private func expand(_ output: inout [UInt8], limit: Int) -> GzipError? {
        while true {
            unsafe stream.pointee.next_out = piece.baseAddress
            unsafe stream.pointee.avail_out = UInt32(Self.pieceBytes)
            let result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            let count = unsafe Self.pieceBytes - Int(stream.pointee.avail_out)
            guard output.count + count <= limit else { return .tooLarge(limit: limit) }
            unsafe output.append(contentsOf: piece[..<count])
            let left = unsafe Int(stream.pointee.avail_in)
            switch result {
            case Z_STREAM_END: return left == 0 ? nil : .trailing(count: left)
            case Z_OK where left > 0 || count == Self.pieceBytes: continue
            case Z_OK, Z_BUF_ERROR: return .truncated
            case Z_MEM_ERROR: return .noMemory
            default: return .corrupt
            }
        }
    }
}
