internal import COpenBLAS

/// A product that OpenBLAS does: c (m, n) = or += a · b, either of them turned.
///
/// Our own kernel reads its factors where they lie. OpenBLAS copies them into blocks first, which
/// pays once the sums are long and the matrices outgrow the second-level cache.
struct LibraryProduct {
    let m: Int
    let n: Int
    let k: Int
    let a: Tensor
    let b: Tensor
    let c: Tensor
    var transposesA = false
    var transposesB = false
    let adding: Bool

    /// Measured on Zen 4: at 512 × 768 × 2048 OpenBLAS reaches 100 GFLOP/s a core and our kernel
    /// 76 to 87, at 512 × 768 × 768 100 and 107, at 2048 × 384 × 128 92 and 105.
    static func isFaster(m: Int, n: Int, k: Int) -> Bool {
        m >= 128 && n >= 256 && k >= 1_024
    }

    /// One thread in each call: the tasks are ours.
    private static let isSingleThreaded: Bool = {
        openblas_set_num_threads(1)
        return true
    }()

    /// The rows of c from `range` on.
    func run(rows range: Range<Int>) {
        precondition(LibraryProduct.isSingleThreaded)
        let first = transposesA ? range.lowerBound : range.lowerBound * a.columns
        unsafe cblas_sgemm(
            CblasRowMajor, transposesA ? CblasTrans : CblasNoTrans,
            transposesB ? CblasTrans : CblasNoTrans, blasint(range.count), blasint(n),
            blasint(k), 1, a.pointer + first, blasint(a.columns), b.pointer, blasint(b.columns),
            adding ? 1 : 0, c.pointer + range.lowerBound * c.columns, blasint(c.columns))
    }
}

extension Compute {
    /// Rows of one call: fixed, so that the bits do not depend on the threads.
    private static let libraryRows = 256

    func library(_ product: LibraryProduct) {
        // At least two blocks where there are two rows of them to give.
        let chunk = min(Compute.libraryRows, (product.m + 1) / 2)
        forRows(product.m, chunk: chunk) { product.run(rows: $0) }
    }
}
