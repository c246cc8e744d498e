import CZlib

/// zlib's state for compressing, with a piece of memory that its output passes through.
///
/// Sendable because the pool gives it to one task at a time.
@safe final class Deflater: @unchecked Sendable {
    /// Fast; higher levels make text by a tenth smaller in three times the time.
    private static let level: Int32 = 3
    static let pieceBytes = 32 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutableBufferPointer<UInt8>

    init() throws(GzipError) {
        // zlib keeps the stream's address, so it lives outside of this object.
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe piece = .allocate(capacity: Self.pieceBytes)
        guard unsafe hone_deflate_init(stream, Self.level) == Z_OK else { throw .noMemory }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
        unsafe piece.deallocate()
    }

    func deflate(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
        guard unsafe deflateReset(stream) == Z_OK else { throw .corrupt }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4 + 64)
        let isDone = unsafe bytes.withUnsafeBufferPointer { input in
            // zlib does not write through next_in; it lacks `const` for old compilers' sake.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            while true {
                unsafe stream.pointee.next_out = piece.baseAddress
                unsafe stream.pointee.avail_out = UInt32(Self.pieceBytes)
                let result = unsafe CZlib.deflate(stream, Z_FINISH)
                let count = unsafe Self.pieceBytes - Int(stream.pointee.avail_out)
                unsafe output.append(contentsOf: piece[..<count])
                if result == Z_STREAM_END { return true }
                guard result == Z_OK || (result == Z_BUF_ERROR && count > 0) else { return false }
            }
        }
        guard isDone else { throw .corrupt }
        return output
    }
}
