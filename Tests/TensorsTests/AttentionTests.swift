import Glibc
import Tensors
import Testing

struct AttentionTests {
    struct Case: Sendable {
        let shape: AttentionShape
        let lengths: [Int]
    }

    static let cases = [
        Case(
            shape: AttentionShape(queryHeads: 2, keyValueHeads: 2, headDimension: 8),
            lengths: [1, 33]),
        Case(
            shape: AttentionShape(queryHeads: 4, keyValueHeads: 2, headDimension: 32),
            lengths: [70, 5, 24]),
        Case(
            shape: AttentionShape(queryHeads: 3, keyValueHeads: 1, headDimension: 48),
            lengths: [270]),
    ]

    @Test(arguments: cases.indices)
    func `attention and its gradient equal plain loops`(index: Int) {
        let shape = AttentionTests.cases[index].shape
        var sequences: [Range<Int>] = []
        for length in AttentionTests.cases[index].lengths {
            let start = sequences.last?.upperBound ?? 0
            sequences.append(start..<start + length)
        }
        let rows = sequences.last?.upperBound ?? 0
        let fused = randomTensor(rows, shape.fusedColumns, seed: 1)
        let dy = randomTensor(rows, shape.queryColumns, seed: 2)
        let expected = plainAttention(Plain(fused), Plain(dy), sequences, shape)
        for compute in computes() {
            let y = Tensor(rows: rows, columns: shape.queryColumns)
            let sums = Tensor(rows: rows, columns: shape.queryHeads)
            compute.attention(fused, sequences: sequences, shape: shape, into: y, logSums: sums)
            #expect(expected.y.difference(y) < 1e-5)
            let dFused = Tensor(rows: rows, columns: shape.fusedColumns)
            compute.attentionBackward(
                fused, sequences: sequences, shape: shape, y: y, logSums: sums, dy: dy,
                dFused: dFused)
            #expect(expected.dFused.difference(dFused) < 5e-5)
        }
    }

    @Test(arguments: cases.indices, [1, 7, 64])
    func `attention over a cache has the bits of whole sequences`(index: Int, piece: Int) {
        let shape = AttentionTests.cases[index].shape
        let length = AttentionTests.cases[index].lengths.max() ?? 0
        let fused = randomTensor(length, shape.fusedColumns, seed: 3)
        let whole = Tensor(rows: length, columns: shape.queryColumns)
        let sums = Tensor(rows: length, columns: shape.queryHeads)
        for compute in computes() {
            compute.attention(
                fused, sequences: [0..<length], shape: shape, into: whole, logSums: sums)
            let cache = LayerCache(shape: shape, capacity: length)
            for start in stride(from: 0, to: length, by: piece) {
                let rows = start..<min(length, start + piece)
                let y = Tensor(rows: rows.count, columns: shape.queryColumns)
                compute.attention(
                    fused.slice(rows: rows),
                    parts: [CachedPart(rows: 0..<rows.count, past: start, cache: cache)],
                    shape: shape, into: y)
                let same = y.values == whole.slice(rows: rows).values
                #expect(same, "rows \(rows)")
            }
        }
    }
}

/// Forward and backward of causal attention, one score at a time.
private func plainAttention(
    _ fused: Plain, _ dy: Plain, _ sequences: [Range<Int>], _ shape: AttentionShape
) -> (y: Plain, dFused: Plain) {
    let d = shape.headDimension
    let group = shape.queryHeads / shape.keyValueHeads
    let scale = 1 / Double(d).squareRoot()
    var y = Plain(rows: fused.rows, columns: shape.queryColumns)
    var dFused = Plain(rows: fused.rows, columns: shape.fusedColumns)
    for sequence in sequences {
        for head in 0..<shape.queryHeads {
            let q = head * d
            let k = shape.queryColumns + head / group * d
            let v = shape.queryColumns + shape.keyValueColumns + head / group * d
            for i in sequence {
                let seen = sequence.lowerBound...i
                var scores = seen.map { j in
                    exp(scale * (0..<d).reduce(0) { $0 + fused[i, q + $1] * fused[j, k + $1] })
                }
                let total = scores.reduce(0, +)
                scores = scores.map { $0 / total }
                var slopes = scores
                for (index, j) in seen.enumerated() {
                    slopes[index] = 0
                    for c in 0..<d {
                        y[i, q + c] += scores[index] * fused[j, v + c]
                        dFused[j, v + c] += scores[index] * dy[i, q + c]
                        slopes[index] += dy[i, q + c] * fused[j, v + c]
                    }
                }
                let mean = zip(scores, slopes).reduce(0) { $0 + $1.0 * $1.1 }
                for (index, j) in seen.enumerated() {
                    let slope = scores[index] * (slopes[index] - mean) * scale
                    for c in 0..<d {
                        dFused[i, q + c] += slope * fused[j, k + c]
                        dFused[j, k + c] += slope * fused[i, q + c]
                    }
                }
            }
        }
    }
    return (y, dFused)
}
