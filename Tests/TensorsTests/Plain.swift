import Tensors

// The operations once more, as plain loops in double: what the kernels are compared with.

/// A matrix of doubles.
struct Plain {
    var rows: Int
    var columns: Int
    var values: [Double]

    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        values = Array(repeating: 0, count: rows * columns)
    }

    init(_ tensor: Tensor) {
        rows = tensor.rows
        columns = tensor.columns
        values = tensor.values.map(Double.init)
    }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    var transposed: Plain {
        var result = Plain(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    static func * (a: Plain, b: Plain) -> Plain {
        precondition(a.columns == b.rows)
        var result = Plain(rows: a.rows, columns: b.columns)
        for i in 0..<a.rows {
            for k in 0..<a.columns {
                let x = a[i, k]
                for j in 0..<b.columns { result[i, j] += x * b[k, j] }
            }
        }
        return result
    }

    /// The largest difference to a tensor of the same shape.
    func difference(_ tensor: Tensor) -> Double {
        guard tensor.rows == rows && tensor.columns == columns else { return .infinity }
        return zip(values, tensor.values).reduce(0) {
            // A value that is not a number must not pass.
            let distance = abs($1.0 - Double($1.1))
            return distance <= $0 ? $0 : distance
        }
    }
}

/// Normal values.
func randomTensor(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var source = RandomSource(seed: seed)
    let tensor = Tensor(rows: rows, columns: columns)
    tensor.fillNormal(deviation: 1, from: &source)
    return tensor
}

/// One for every instruction set of this machine, the caller's own: tests run side by side.
func computes() -> [Compute] {
    InstructionSet.available.map { Compute(threads: 2, instructions: $0) }
}
