/// A matrix of floats, row after row, in memory that all its slices share.
///
/// Copying the value copies no floats. Operations are methods of ``Compute``.
public struct Tensor: Sendable {
    public let rows: Int
    public let columns: Int
    let buffer: Buffer
    let offset: Int

    /// Zeros.
    public init(rows: Int, columns: Int) {
        self.init(Buffer(count: rows * columns), offset: 0, rows: rows, columns: columns)
    }

    public init(_ values: [Float], rows: Int, columns: Int) {
        precondition(
            values.count == rows * columns, "\(values.count) values for [\(rows), \(columns)]")
        self.init(rows: rows, columns: columns)
        unsafe pointer.update(from: values, count: values.count)
    }

    init(_ buffer: Buffer, offset: Int, rows: Int, columns: Int) {
        precondition(
            offset >= 0 && rows >= 0 && columns >= 0 && offset + rows * columns <= buffer.count,
            "[\(rows), \(columns)] at \(offset) of \(buffer.count) floats")
        self.buffer = buffer
        self.offset = offset
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows * columns }

    /// Every value, row after row.
    public var values: [Float] {
        unsafe Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    public subscript(row: Int, column: Int) -> Float {
        get {
            check(row, column)
            return unsafe pointer[row * columns + column]
        }
        nonmutating set {
            check(row, column)
            unsafe pointer[row * columns + column] = newValue
        }
    }

    /// The values of one row.
    public func row(_ index: Int) -> [Float] {
        slice(rows: index..<index + 1).values
    }

    /// Copies one row over the beginning of `values`, which is at least as long.
    public func copyRow(_ index: Int, into values: inout [Float]) {
        check(index, 0)
        precondition(values.count >= columns, "\(values.count) values for \(columns) columns")
        let columns = columns
        unsafe values.withUnsafeMutableBufferPointer { target in
            for column in 0..<columns {
                unsafe target[column] = pointer[index * columns + column]
            }
        }
    }

    /// Some of the rows, in the same memory.
    public func slice(rows range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Tensor(
            buffer, offset: offset + range.lowerBound * columns, rows: range.count,
            columns: columns)
    }

    /// The same floats with other sides.
    public func reshaped(rows: Int, columns: Int) -> Tensor {
        precondition(rows * columns == count, "[\(rows), \(columns)] of \(count) floats")
        return Tensor(buffer, offset: offset, rows: rows, columns: columns)
    }

    /// The column with the largest value of a row; of equals the first.
    public func largestColumn(row: Int) -> Int {
        check(row, 0)
        let start = unsafe pointer + row * columns
        var best = 0
        for column in 1..<max(columns, 1) where unsafe start[column] > start[best] {
            best = column
        }
        return best
    }

    public func copy(from other: Tensor) {
        precondition(count == other.count, "\(other.count) floats into \(count)")
        unsafe pointer.update(from: other.pointer, count: count)
    }

    /// The same values in memory of their own.
    public func copied() -> Tensor {
        let copy = Tensor(rows: rows, columns: columns)
        copy.copy(from: self)
        return copy
    }

    public func fill(_ value: Float) {
        unsafe pointer.update(repeating: value, count: count)
    }

    @inline(__always)
    private func check(_ row: Int, _ column: Int) {
        precondition(
            row >= 0 && row < rows && column >= 0 && column < columns,
            "[\(row), \(column)] of [\(rows), \(columns)]")
    }

    @unsafe var pointer: UnsafeMutablePointer<Float> { unsafe buffer.pointer + offset }
}

/// One block of memory that many tensors are cut from, so that all can be treated as one.
public struct TensorPool: Sendable {
    /// Everything, as one row.
    public let all: Tensor
    private var used = 0

    /// Each tensor begins at a multiple of this many floats, one cache line.
    private static let granule = 16

    /// - Parameter sizes: the float counts of the tensors to come, in their order.
    public init(sizes: [Int]) {
        let count = sizes.reduce(0) { $0 + TensorPool.rounded($1) }
        all = Tensor(rows: 1, columns: count)
    }

    public mutating func next(rows: Int, columns: Int) -> Tensor {
        defer { used += TensorPool.rounded(rows * columns) }
        return Tensor(all.buffer, offset: used, rows: rows, columns: columns)
    }

    private static func rounded(_ count: Int) -> Int {
        (count + granule - 1) / granule * granule
    }
}

extension Tensor {
    /// The mean of all rows, as one row; summed in double.
    public func meanRow() -> Tensor {
        precondition(rows > 0, "the mean of no rows")
        var sums = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            let start = unsafe pointer + row * columns
            for column in 0..<columns {
                sums[column] += unsafe Double(start[column])
            }
        }
        return Tensor(sums.map { Float($0 / Double(rows)) }, rows: 1, columns: columns)
    }
}
