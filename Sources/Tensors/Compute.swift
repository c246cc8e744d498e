internal import CKernels

/// The threads and the instruction set that operations run on.
///
/// Operations are its methods, a file a topic. Their sums have one order, whatever the threads,
/// the instruction set or the other rows. One thread at a time may call them; each returns when
/// its work is done.
public final class Compute: Sendable {
    let instructions: hone_isa
    let pool: ThreadPool

    /// - Parameter threads: how many work, the caller included.
    public convenience init(threads: Int = 1) {
        self.init(threads: threads, instructions: .best)
    }

    package init(threads: Int, instructions: InstructionSet) {
        self.instructions = instructions.kernel
        pool = ThreadPool(count: max(threads, 1))
    }

    public var threads: Int { pool.count }

    /// Calls `body` with consecutive ranges of at most `chunk` rows that cover `rows`.
    func forRows(
        _ rows: Int, chunk: Int, _ body: (_ range: Range<Int>) -> Void
    ) {
        unsafe pool.run(tasks: (rows + chunk - 1) / chunk) { task, _ in
            body(task * chunk..<min(rows, (task + 1) * chunk))
        }
    }

    /// So many rows that a task is worth sharing, about 16,000 floats.
    func rowChunk(_ columns: Int) -> Int {
        max(1, 16_384 / max(columns, 1))
    }
}

/// What kernels are compiled for; a better one is chosen by asking the machine.
package enum InstructionSet: CaseIterable, Sendable {
    case portable, avx2, avx512

    package static let best: InstructionSet = {
        let best = hone_best_isa()
        return best == HONE_AVX512 ? .avx512 : best == HONE_AVX2 ? .avx2 : .portable
    }()

    /// The sets this machine has.
    package static let available: [InstructionSet] =
        allCases.filter { $0.kernel.rawValue <= best.kernel.rawValue }

    var kernel: hone_isa {
        switch self {
        case .portable: HONE_PORTABLE
        case .avx2: HONE_AVX2
        case .avx512: HONE_AVX512
        }
    }
}
