import Tensors
import Testing

struct ProductTests {
    static let shapes = [
        [1, 1, 1], [1, 40, 7], [2, 130, 33], [3, 16, 300], [5, 31, 64], [12, 32, 1],
        [13, 129, 17], [25, 200, 48], [97, 65, 260], [130, 96, 40],
    ]

    @Test(arguments: shapes)
    func `products equal plain loops`(shape: [Int]) {
        let (rows, outputs, inputs) = (shape[0], shape[1], shape[2])
        let x = randomTensor(rows, inputs, seed: 1)
        let w = randomTensor(outputs, inputs, seed: 2)
        let dy = randomTensor(rows, outputs, seed: 3)
        // Rounding grows with the root of the length of the sums.
        let tolerance = 4e-6 * Double(max(rows, outputs, inputs)).squareRoot()
        for compute in computes() {
            let y = Tensor(rows: rows, columns: outputs)
            compute.multiply(x, compute.packed(w), into: y)
            let expected = Plain(x) * Plain(w).transposed
            #expect(expected.difference(y) < tolerance)
            compute.multiply(x, compute.packed(w), into: y, adding: true)
            var twice = expected
            twice.values = expected.values.map { 2 * $0 }
            #expect(twice.difference(y) < 2 * tolerance)

            let dx = Tensor(rows: rows, columns: inputs)
            compute.multiplyBackward(dy, w, into: dx)
            #expect((Plain(dy) * Plain(w)).difference(dx) < tolerance)

            let dw = Tensor(rows: outputs, columns: inputs)
            compute.addWeightGradient(dy, x, to: dw)
            #expect((Plain(dy).transposed * Plain(x)).difference(dw) < tolerance)
        }
    }

    @Test func `a row's product has the same bits beside any others`() {
        let compute = Compute(threads: 2)
        let x = randomTensor(150, 300, seed: 4)
        let w = compute.packed(randomTensor(200, 300, seed: 5))
        let all = Tensor(rows: 150, columns: 200)
        compute.multiply(x, w, into: all)
        for rows in [0..<1, 7..<9, 3..<20, 100..<150] {
            let part = Tensor(rows: rows.count, columns: 200)
            compute.multiply(x.slice(rows: rows), w, into: part)
            #expect(part.values == all.slice(rows: rows).values)
        }
    }

    @Test func `instruction sets with fused multiply-add agree bit by bit`() {
        let fused = InstructionSet.available.filter { $0 != .portable }
        let x = randomTensor(40, 70, seed: 6)
        let w = randomTensor(90, 70, seed: 7)
        let results = fused.map { set in
            let compute = Compute(threads: 1, instructions: set)
            let y = Tensor(rows: 40, columns: 90)
            compute.multiply(x, compute.packed(w), into: y)
            return y.values
        }
        #expect(Set(results).count <= 1)
    }

    @Test func `large products, which OpenBLAS does, equal those of the kernels`() {
        let (rows, outputs, inputs) = (1_030, 1_026, 260)
        let compute = Compute(threads: 2)
        let x = randomTensor(rows, inputs, seed: 1)
        let w = randomTensor(outputs, inputs, seed: 2)
        let dy = randomTensor(rows, outputs, seed: 3)
        let results = [1, 3].map { threads in
            let compute = Compute(threads: threads)
            let dx = Tensor(rows: rows, columns: inputs)
            compute.multiplyBackward(dy, w, into: dx)
            let dw = Tensor(rows: outputs, columns: inputs)
            compute.addWeightGradient(dy, x, to: dw)
            let y = Tensor(rows: rows, columns: rows)
            compute.multiply(dy, dy, packing: compute.packed(dy), into: y)
            return [dx, dw, y]
        }
        let expected = [
            (dy, compute.packed(turned(w))), (turned(dy), compute.packed(turned(x))),
            (dy, compute.packed(dy)),
        ].map { a, b in
            let c = Tensor(rows: a.rows, columns: b.outputs)
            compute.multiply(a, b, into: c)
            return c
        }
        for index in expected.indices {
            let ours = expected[index].values
            let library = results[0][index].values
            // Sums of a thousand products of normal values, in another order.
            let close = zip(ours, library).allSatisfy { abs($0 - $1) < 1e-3 }
            #expect(close)
            let same = library == results[1][index].values
            #expect(same, "threads change product \(index)")
        }
    }

    private func turned(_ tensor: Tensor) -> Tensor {
        let result = Tensor(rows: tensor.columns, columns: tensor.rows)
        for row in 0..<tensor.rows {
            for column in 0..<tensor.columns { result[column, row] = tensor[row, column] }
        }
        return result
    }
}
