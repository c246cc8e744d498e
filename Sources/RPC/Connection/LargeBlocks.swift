import NIOCore

/// Keeps the storage of large messages in the process.
///
/// glibc maps each block above a threshold, 128 KiB at first, anew and gives it back once it is
/// free, and gives the end of its heap back beyond twice that: messages of 64 KiB and more would pay
/// for their pages each time. The threshold follows the largest block that was freed, up to 32 MiB.
///
/// - Source: malloc(3) and mallopt(3), `M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD`.
enum LargeBlocks {
    /// Frees a block of 4 MiB, once in a process; no page of it is ever touched.
    static let areKept: Void = {
        _ = ByteBufferAllocator().buffer(capacity: 4 << 20)
    }()
}
