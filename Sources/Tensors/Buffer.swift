internal import Glibc

/// Memory for floats: zeroed, aligned to 64 bytes, and padded so that kernels may read past its
/// end as far as they do.
///
/// It is `Sendable` because a buffer has one writer at a time: the owner of a workspace, a cache
/// or a training run. Weights are written before they are shared.
@safe final class Buffer: @unchecked Sendable {
    let count: Int
    let pointer: UnsafeMutablePointer<Float>
    private let allocation: UnsafeMutableRawPointer

    /// What kernels may read past the end of an array.
    private static let padding = 64
    private static let alignment = 64

    init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) floats")
        let bytes = (count + Buffer.padding) * MemoryLayout<Float>.stride + Buffer.alignment
        guard let memory = unsafe calloc(bytes, 1) else {
            preconditionFailure("no memory for \(bytes) bytes")
        }
        unsafe allocation = memory
        let aligned = unsafe memory.alignedUp(toMultipleOf: Buffer.alignment)
        unsafe pointer = aligned.bindMemory(to: Float.self, capacity: count + Buffer.padding)
        self.count = count
    }

    deinit {
        unsafe free(allocation)
    }
}
