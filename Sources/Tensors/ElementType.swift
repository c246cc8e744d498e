internal import CKernels

/// How numbers lie in a file, little-endian. In memory they are float32.
public enum ElementType: String, Sendable, CaseIterable {
    case float32
    case bfloat16
    case float16

    public var bytes: Int { self == .float32 ? 4 : 2 }
}

extension Tensor {
    /// Reads all its values from memory.
    @unsafe func read(_ type: ElementType, from memory: UnsafeRawPointer) {
        switch type {
        case .float32:
            unsafe UnsafeMutableRawPointer(pointer).copyMemory(
                from: memory, byteCount: count * type.bytes)
        case .bfloat16, .float16:
            // Files align their numbers as they like, pointers to them may not.
            let piece = 4_096
            var halves = [UInt16](repeating: 0, count: piece)
            for start in stride(from: 0, to: count, by: piece) {
                let length = min(piece, count - start)
                unsafe halves.withUnsafeMutableBytes {
                    unsafe $0.copyMemory(
                        from: UnsafeRawBufferPointer(
                            start: memory + start * type.bytes, count: length * type.bytes))
                }
                if type == .bfloat16 {
                    unsafe hone_from_bf16(length, halves, pointer + start)
                } else {
                    unsafe hone_from_fp16(length, halves, pointer + start)
                }
            }
        }
    }

    /// Some of its values as they lie in a file.
    func bytes(_ type: ElementType, of range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(type != .float16, "float16 is read, not written")
        let start = unsafe pointer + range.lowerBound
        guard type == .bfloat16 else {
            return unsafe Array(
                UnsafeRawBufferPointer(start: start, count: range.count * type.bytes))
        }
        var halves = [UInt16](repeating: 0, count: range.count)
        unsafe halves.withUnsafeMutableBufferPointer {
            guard let first = $0.baseAddress else { return }
            unsafe hone_to_bf16(range.count, start, first)
        }
        return unsafe halves.withUnsafeBytes { unsafe Array($0) }
    }

    /// Rounds every value to the nearest bfloat16, ties to even.
    public func roundToBFloat16() {
        let piece = 4_096
        for start in stride(from: 0, to: count, by: piece) {
            let bytes = bytes(.bfloat16, of: start..<min(count, start + piece))
            unsafe bytes.withUnsafeBytes { source in
                guard let first = source.baseAddress else { return }
                let part = Tensor(
                    buffer, offset: offset + start, rows: 1, columns: bytes.count / 2)
                unsafe part.read(.bfloat16, from: first)
            }
        }
    }
}
