internal import CKernels

/// The weights of a linear map, laid out for products: panels of 32 outputs, each
/// `(inputs, 32)`.
public struct PackedMatrix: Sendable {
    public let inputs: Int
    public let outputs: Int
    let buffer: Buffer

    static let panelColumns = Int(HONE_PANEL)
    var panels: Int { (outputs + PackedMatrix.panelColumns - 1) / PackedMatrix.panelColumns }

    public init(inputs: Int, outputs: Int) {
        self.inputs = inputs
        self.outputs = outputs
        let panels = (outputs + PackedMatrix.panelColumns - 1) / PackedMatrix.panelColumns
        buffer = Buffer(count: panels * PackedMatrix.panelColumns * inputs)
    }
}

extension Compute {
    /// Lays out `weight`, `(outputs, inputs)`, as `packed`.
    public func pack(_ weight: Tensor, into packed: PackedMatrix) {
        precondition(
            weight.rows == packed.outputs && weight.columns == packed.inputs,
            "[\(weight.rows), \(weight.columns)] into [\(packed.outputs), \(packed.inputs)]")
        let panels = packed.panels
        let chunk = max(1, 32_768 / (PackedMatrix.panelColumns * max(1, packed.inputs)))
        forRows(panels, chunk: chunk) { range in
            unsafe hone_pack_transposed(
                packed.outputs, packed.inputs, weight.pointer, weight.columns,
                packed.buffer.pointer, range.lowerBound, range.upperBound)
        }
    }

    /// `weight`, `(outputs, inputs)`, laid out for products.
    public func packed(_ weight: Tensor) -> PackedMatrix {
        let packed = PackedMatrix(inputs: weight.columns, outputs: weight.rows)
        pack(weight, into: packed)
        return packed
    }

    /// y = x · weightᵀ, or y += it.
    ///
    /// - Parameters:
    ///   - x: `(rows, inputs)`.
    ///   - y: `(rows, outputs)`, apart from x.
    public func multiply(
        _ x: Tensor, _ weight: PackedMatrix, into y: Tensor, adding: Bool = false
    ) {
        precondition(
            x.columns == weight.inputs && y.columns == weight.outputs && x.rows == y.rows,
            """
            weight is [\(weight.outputs), \(weight.inputs)], x [\(x.rows), \(x.columns)], \
            y [\(y.rows), \(y.columns)]
            """)
        unsafe product(
            Factors(
                m: x.rows, n: weight.outputs, k: weight.inputs,
                a: unsafe x.pointer, aRow: x.columns, aColumn: 1,
                b: unsafe weight.buffer.pointer, bRow: PackedMatrix.panelColumns,
                bPanel: PackedMatrix.panelColumns * weight.inputs,
                c: unsafe y.pointer, cRow: y.columns), adding: adding)
    }

    /// The same with a weight that changes: laid out in `packed` first, unless the product is so
    /// large that OpenBLAS takes it as it is. The bits then depend on the number of rows.
    ///
    /// - Parameters:
    ///   - weight: `(outputs, inputs)`.
    ///   - packed: scratch of the same sides.
    public func multiply(
        _ x: Tensor, _ weight: Tensor, packing packed: PackedMatrix, into y: Tensor,
        adding: Bool = false
    ) {
        precondition(
            x.columns == weight.columns && y.columns == weight.rows && x.rows == y.rows,
            """
            weight is [\(weight.rows), \(weight.columns)], x [\(x.rows), \(x.columns)], \
            y [\(y.rows), \(y.columns)]
            """)
        guard LibraryProduct.isFaster(m: x.rows, n: weight.rows, k: weight.columns) else {
            pack(weight, into: packed)
            multiply(x, packed, into: y, adding: adding)
            return
        }
        library(
            LibraryProduct(
                m: x.rows, n: weight.rows, k: weight.columns, a: x, b: weight, c: y,
                transposesB: true, adding: adding))
    }

    /// dx = dy · weight, or dx += it: the way back through ``multiply(_:_:into:adding:)``.
    ///
    /// - Parameters:
    ///   - dy: `(rows, outputs)`.
    ///   - weight: `(outputs, inputs)`, not packed.
    ///   - dx: `(rows, inputs)`.
    public func multiplyBackward(
        _ dy: Tensor, _ weight: Tensor, into dx: Tensor, adding: Bool = false
    ) {
        precondition(
            dy.columns == weight.rows && dx.columns == weight.columns && dx.rows == dy.rows,
            """
            weight is [\(weight.rows), \(weight.columns)], dy [\(dy.rows), \(dy.columns)], \
            dx [\(dx.rows), \(dx.columns)]
            """)
        if LibraryProduct.isFaster(m: dy.rows, n: weight.columns, k: weight.rows) {
            library(
                LibraryProduct(
                    m: dy.rows, n: weight.columns, k: weight.rows, a: dy, b: weight, c: dx,
                    adding: adding))
            return
        }
        unsafe product(
            Factors(
                m: dy.rows, n: weight.columns, k: weight.rows,
                a: unsafe dy.pointer, aRow: dy.columns, aColumn: 1,
                b: unsafe weight.pointer, bRow: weight.columns,
                bPanel: PackedMatrix.panelColumns,
                c: unsafe dx.pointer, cRow: dx.columns), adding: adding)
    }

    /// dWeight += dyᵀ · x, summed over the rows in their order.
    ///
    /// - Parameters:
    ///   - dy: `(rows, outputs)`.
    ///   - x: `(rows, inputs)`.
    ///   - dWeight: `(outputs, inputs)`.
    public func addWeightGradient(_ dy: Tensor, _ x: Tensor, to dWeight: Tensor) {
        precondition(
            dy.rows == x.rows && dWeight.rows == dy.columns && dWeight.columns == x.columns,
            """
            dWeight is [\(dWeight.rows), \(dWeight.columns)], dy [\(dy.rows), \(dy.columns)], \
            x [\(x.rows), \(x.columns)]
            """)
        if LibraryProduct.isFaster(m: dy.columns, n: x.columns, k: dy.rows) {
            library(
                LibraryProduct(
                    m: dy.columns, n: x.columns, k: dy.rows, a: dy, b: x, c: dWeight,
                    transposesA: true, adding: true))
            return
        }
        unsafe product(
            Factors(
                m: dy.columns, n: x.columns, k: dy.rows,
                a: unsafe dy.pointer, aRow: 1, aColumn: dy.columns,
                b: unsafe x.pointer, bRow: x.columns, bPanel: PackedMatrix.panelColumns,
                c: unsafe dWeight.pointer, cRow: dWeight.columns), adding: true)
    }
}

/// A product's shape `(m, k) · (k, n)` and where its matrices lie; see hone_gemm.
@unsafe private struct Factors {
    let m: Int
    let n: Int
    let k: Int
    let a: UnsafePointer<Float>
    let aRow: Int
    let aColumn: Int
    let b: UnsafePointer<Float>
    let bRow: Int
    let bPanel: Int
    let c: UnsafeMutablePointer<Float>
    let cRow: Int

    /// The part of c in these rows and columns; columns begin at a panel.
    func part(rows: Range<Int>, columns: Range<Int>) -> Factors {
        unsafe Factors(
            m: rows.count, n: columns.count, k: k,
            a: a + rows.lowerBound * aRow, aRow: aRow, aColumn: aColumn,
            b: b + columns.lowerBound / PackedMatrix.panelColumns * bPanel,
            bRow: bRow, bPanel: bPanel,
            c: c + rows.lowerBound * cRow + columns.lowerBound, cRow: cRow)
    }
}

extension Compute {
    private func product(_ f: Factors, adding: Bool) {
        // Below about 5 µs of work, sharing costs more than it saves.
        guard unsafe pool.count > 1 && f.m * f.n * f.k > 100_000 else {
            unsafe multiply(f, adding: adding)
            return
        }
        // Blocks keep their rows of a in the second-level cache, and are many enough to balance.
        let height = unsafe f.m >= 768 ? 96 : f.m >= 96 ? 24 : f.m
        let rowBlocks = unsafe (f.m + height - 1) / height
        let panels = unsafe (f.n + PackedMatrix.panelColumns - 1) / PackedMatrix.panelColumns
        let columnBlocks = min(panels, max(1, (4 * pool.count + rowBlocks - 1) / rowBlocks))
        let width = (panels + columnBlocks - 1) / columnBlocks * PackedMatrix.panelColumns
        unsafe pool.run(tasks: rowBlocks * columnBlocks) { task, _ in
            let row = task / columnBlocks * height
            let column = task % columnBlocks * width
            guard unsafe column < f.n else { return }
            let part = unsafe f.part(
                rows: row..<min(f.m, row + height), columns: column..<min(f.n, column + width))
            unsafe multiply(part, adding: adding)
        }
    }

    private func multiply(_ f: Factors, adding: Bool) {
        unsafe hone_gemm(
            instructions, f.m, f.n, f.k, f.a, f.aRow, f.aColumn, f.b, f.bRow, f.bPanel, f.c,
            f.cRow, adding ? 1 : 0)
    }
}
