import Glibc
import Tensors
import Testing

struct LayerTests {
    @Test(arguments: [[3, 8], [5, 24], [300, 33], [2, 128]])
    func `the norm and its gradient equal plain loops`(shape: [Int]) {
        let (rows, columns) = (shape[0], shape[1])
        let x = randomTensor(rows, columns, seed: 1)
        let weight = randomTensor(1, columns, seed: 2)
        let dy = randomTensor(rows, columns, seed: 3)
        let before = randomTensor(rows, columns, seed: 4)
        var y = Plain(rows: rows, columns: columns)
        var dx = Plain(before)
        var dWeight = Plain(rows: 1, columns: columns)
        for i in 0..<rows {
            let row = (0..<columns).map { Double(x[i, $0]) }
            let r = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(columns) + 1e-5).squareRoot()
            let slopes = (0..<columns).map { Double(dy[i, $0]) * Double(weight[0, $0]) }
            let mean = zip(slopes, row).reduce(0) { $0 + $1.0 * $1.1 * r } / Double(columns)
            for j in 0..<columns {
                y[i, j] = row[j] * r * Double(weight[0, j])
                dx[i, j] += r * (slopes[j] - row[j] * r * mean)
                dWeight[0, j] += Double(dy[i, j]) * row[j] * r
            }
        }
        for compute in computes() {
            let result = Tensor(rows: rows, columns: columns)
            let inverse = Tensor(rows: rows, columns: 1)
            compute.rmsNorm(x, weight: weight, epsilon: 1e-5, into: result, inverse: inverse)
            #expect(y.difference(result) < 1e-5)
            let again = Tensor(rows: rows, columns: columns)
            compute.rmsNormAgain(x, weight: weight, inverse: inverse, into: again)
            #expect(again.values == result.values)
            let gradient = before.copied()
            let gain = Tensor(rows: 1, columns: columns)
            compute.rmsNormBackward(
                x, weight: weight, inverse: inverse, dy: dy, dx: gradient, dWeight: gain,
                partial: Tensor(rows: rows / Compute.gainChunk + 1, columns: columns))
            #expect(dx.difference(gradient) < 1e-5)
            #expect(dWeight.difference(gain) < 1e-4)
        }
    }

    @Test(arguments: [1, 16, 43])
    func `the gated unit and its gradient equal plain loops`(n: Int) {
        let gateUp = randomTensor(7, 2 * n, seed: 1)
        let dy = randomTensor(7, n, seed: 2)
        gateUp[0, 0] = -200
        gateUp[1, 0] = 200
        var y = Plain(rows: 7, columns: n)
        var slopes = Plain(rows: 7, columns: 2 * n)
        for i in 0..<7 {
            for j in 0..<n {
                let (g, u) = (Double(gateUp[i, j]), Double(gateUp[i, n + j]))
                let s = 1 / (1 + exp(-g))
                y[i, j] = g * s * u
                slopes[i, j] = Double(dy[i, j]) * u * s * (1 + g * (1 - s))
                slopes[i, n + j] = Double(dy[i, j]) * g * s
            }
        }
        for compute in computes() {
            let result = Tensor(rows: 7, columns: n)
            compute.swiGLU(gateUp, into: result)
            #expect(y.difference(result) < 2e-4)
            let gradient = gateUp.copied()
            let back = dy.copied()
            compute.swiGLUBackward(gradient, back)
            #expect(y.difference(back) < 2e-4)
            #expect(slopes.difference(gradient) < 2e-4)
        }
    }

    @Test func `rotation equals plain loops and is undone backward`() {
        let d = 12
        let angles = RotaryAngles(
            frequencies: (0..<6).map { Float(pow(100, -Double($0) / 6)) }, positions: 50)
        let x = randomTensor(4, 40, seed: 1)
        let positions: [Int32] = [0, 1, 49, 7]
        var expected = Plain(x)
        for (i, position) in positions.enumerated() {
            for head in 0..<2 {
                for j in 0..<6 {
                    let angle = Double(position) * pow(100, -Double(j) / 6)
                    let (a, b) = (Plain(x)[i, head * d + j], Plain(x)[i, head * d + 6 + j])
                    expected[i, head * d + j] = a * cos(angle) - b * sin(angle)
                    expected[i, head * d + 6 + j] = b * cos(angle) + a * sin(angle)
                }
            }
        }
        for compute in computes() {
            let y = x.copied()
            compute.rotate(y, heads: 2, positions: positions, angles: angles)
            #expect(expected.difference(y) < 2e-5)
            compute.rotate(y, heads: 2, positions: positions, angles: angles, backward: true)
            #expect(Plain(x).difference(y) < 1e-5)
        }
    }

    @Test(arguments: [2, 16, 50])
    func `cross-entropy and its gradient equal plain loops`(n: Int) {
        let logits = randomTensor(9, n, seed: 1)
        logits[3, 0] = 90
        logits[4, 1] = -1e30
        let targets = (0..<9).map { Int32($0 % n) }
        var gradient = Plain(rows: 9, columns: n)
        var normal = Plain(rows: 9, columns: n)
        var losses: [Double] = []
        for i in 0..<9 {
            let row = (0..<n).map { Double(logits[i, $0]) }
            let most = row.max() ?? 0
            let total = row.reduce(0) { $0 + exp($1 - most) }
            losses.append(log(total) + most - row[Int(targets[i])])
            for j in 0..<n {
                normal[i, j] = row[j] - most - log(total)
                gradient[i, j] = 0.5 * (exp(row[j] - most) / total - (j == targets[i] ? 1 : 0))
            }
        }
        for compute in computes() {
            let result = logits.copied()
            let computed = compute.crossEntropy(result, targets: targets, scale: 0.5)
            // float32 keeps 7 digits of the largest loss.
            let close = zip(computed, losses).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }
            #expect(close)
            #expect(gradient.difference(result) < 1e-6)
            let probabilities = logits.copied()
            compute.logSoftmax(probabilities)
            probabilities[4, 1] = 0
            normal[4, 1] = 0
            #expect(normal.difference(probabilities) < 2e-5)
        }
    }

    @Test func `rows are gathered and their gradients added in order`() {
        let table = randomTensor(5, 70, seed: 1)
        let ids: [Int32] = [4, 0, 4]
        for compute in computes() {
            let y = Tensor(rows: 3, columns: 70)
            compute.gather(table, ids, into: y)
            #expect(y.row(0) == table.row(4) && y.row(1) == table.row(0))
            let gradient = Tensor(rows: 5, columns: 70)
            compute.gatherBackward(y, ids, to: gradient)
            #expect(gradient.row(4) == table.row(4).map { 2 * $0 })
            #expect(gradient.row(3) == Array(repeating: 0, count: 70))
        }
    }

    @Test func `an optimiser step equals plain arithmetic`() {
        let value = randomTensor(1, 77, seed: 1)
        let gradient = randomTensor(1, 77, seed: 2)
        let first = randomTensor(1, 77, seed: 3)
        let second = Tensor(randomTensor(1, 77, seed: 4).values.map(abs), rows: 1, columns: 77)
        var expected = Plain(value)
        for j in 0..<77 {
            let g = Double(gradient[0, j]) * 0.5
            let m = 0.9 * Double(first[0, j]) + 0.1 * g
            let v = 0.99 * Double(second[0, j]) + 0.01 * g * g
            let correctedM = m / (1 - pow(0.9, 3))
            let correctedV = v / (1 - pow(0.99, 3))
            expected[0, j] -= 0.01 * 0.1 * expected[0, j]
            expected[0, j] -= 0.01 * correctedM / (correctedV.squareRoot() + 1e-8)
        }
        for compute in computes() {
            let result = value.copied()
            compute.adamW(
                result, gradient: gradient, first: first.copied(), second: second.copied(),
                AdamWStep(
                    learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8,
                    weightDecay: 0.1, step: 3, gradientScale: 0.5))
            #expect(expected.difference(result) < 1e-6)
            let squares = gradient.values.reduce(0) { $0 + Double($1) * Double($1) }
            #expect(abs(compute.sumOfSquares(gradient) - squares) < 1e-12 * squares)
        }
    }
}
