internal import CKernels

// The parts of a layer that are not products, each forward and backward.

extension Compute {
    /// Divides each row by its root mean square, then scales each column.
    ///
    /// - Parameters:
    ///   - x: `(rows, columns)`.
    ///   - weight: `(1, columns)`, the learned gain.
    ///   - epsilon: added to the mean square; LLaMA uses 1e-5 or 1e-6.
    ///   - y: `(rows, columns)`.
    ///   - inverse: `(rows, 1)`, keeps each row's factor for the way back.
    /// - Source: Zhang and Sennrich 2019, equation 4.
    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, into y: Tensor, inverse: Tensor? = nil
    ) {
        precondition(x.count == y.count && weight.count == x.columns)
        precondition(inverse.map { $0.count == x.rows } ?? true)
        forRows(x.rows, chunk: rowChunk(x.columns)) { range in
            let start = range.lowerBound * x.columns
            unsafe hone_rms_norm(
                instructions, range.count, x.columns, x.pointer + start, weight.pointer, epsilon,
                y.pointer + start, inverse.map { unsafe $0.pointer + range.lowerBound })
        }
    }

    /// The norm of x once more, from the factors kept.
    public func rmsNormAgain(_ x: Tensor, weight: Tensor, inverse: Tensor, into y: Tensor) {
        precondition(x.count == y.count && weight.count == x.columns && inverse.count == x.rows)
        forRows(x.rows, chunk: rowChunk(x.columns)) { range in
            let start = range.lowerBound * x.columns
            unsafe hone_rms_norm_again(
                instructions, range.count, x.columns, x.pointer + start, weight.pointer,
                inverse.pointer + range.lowerBound, y.pointer + start)
        }
    }

    /// dx += the gradient of x; dWeight += that of the weight.
    ///
    /// - Parameter partial: scratch, `(rows / 256 rounded up, columns)` at least.
    public func rmsNormBackward(
        _ x: Tensor, weight: Tensor, inverse: Tensor, dy: Tensor, dx: Tensor, dWeight: Tensor,
        partial: Tensor
    ) {
        let chunk = Compute.gainChunk
        let chunks = (x.rows + chunk - 1) / chunk
        precondition(x.count == dy.count && x.count == dx.count && inverse.count == x.rows)
        precondition(weight.count == x.columns && dWeight.count == x.columns)
        precondition(partial.columns == x.columns && partial.rows >= chunks)
        forRows(x.rows, chunk: chunk) { range in
            let start = range.lowerBound * x.columns
            let sums = partial.slice(rows: range.lowerBound / chunk..<range.lowerBound / chunk + 1)
            sums.fill(0)
            unsafe hone_rms_norm_backward(
                instructions, range.count, x.columns, x.pointer + start, weight.pointer,
                inverse.pointer + range.lowerBound, dy.pointer + start, dx.pointer + start,
                sums.pointer)
        }
        for index in 0..<chunks {
            add(partial.slice(rows: index..<index + 1), to: dWeight)
        }
    }

    /// Rows whose share of a gain's gradient is summed together: fixed, so that the sum is.
    public static let gainChunk = 256

    /// y += x · factor.
    public func add(_ x: Tensor, to y: Tensor, factor: Float = 1) {
        precondition(x.count == y.count)
        forRows(x.count, chunk: 65_536) { range in
            unsafe hone_add(
                instructions, range.count, x.pointer + range.lowerBound, factor,
                y.pointer + range.lowerBound)
        }
    }

    /// y = silu(gate) · up.
    ///
    /// - Parameters:
    ///   - gateUp: `(rows, 2 n)`, gate first.
    ///   - y: `(rows, n)`.
    /// - Source: Shazeer 2020, "GLU variants improve transformer".
    public func swiGLU(_ gateUp: Tensor, into y: Tensor) {
        precondition(gateUp.rows == y.rows && gateUp.columns == 2 * y.columns)
        forRows(y.rows, chunk: rowChunk(gateUp.columns)) { range in
            unsafe hone_swiglu(
                instructions, range.count, y.columns,
                gateUp.pointer + range.lowerBound * gateUp.columns,
                y.pointer + range.lowerBound * y.columns)
        }
    }

    /// gateUp becomes its gradient; y holds dy before, silu(gate) · up after.
    public func swiGLUBackward(_ gateUp: Tensor, _ y: Tensor) {
        precondition(gateUp.rows == y.rows && gateUp.columns == 2 * y.columns)
        forRows(y.rows, chunk: rowChunk(gateUp.columns)) { range in
            unsafe hone_swiglu_backward(
                instructions, range.count, y.columns,
                gateUp.pointer + range.lowerBound * gateUp.columns,
                y.pointer + range.lowerBound * y.columns)
        }
    }

    /// Turns the first `heads` heads of every row by the angles of its position, in place.
    ///
    /// - Parameters:
    ///   - x: `(rows, at least heads · d)`.
    ///   - positions: one for each row.
    ///   - backward: turns the other way, which is the gradient.
    /// - Source: Su et al. 2021, "RoFormer"; halves paired as Hugging Face does.
    public func rotate(
        _ x: Tensor, heads: Int, positions: [Int32], angles: RotaryAngles, backward: Bool = false
    ) {
        let d = angles.headDimension
        precondition(positions.count == x.rows && heads * d <= x.columns)
        precondition(positions.allSatisfy { $0 >= 0 && Int($0) < angles.positions })
        forRows(x.rows, chunk: rowChunk(x.columns)) { range in
            unsafe positions.withUnsafeBufferPointer { positions in
                guard let first = positions.baseAddress else { return }
                unsafe hone_rotary(
                    instructions, range.count, heads, d,
                    x.pointer + range.lowerBound * x.columns, x.columns,
                    first + range.lowerBound, angles.cosine.pointer, angles.sine.pointer,
                    backward ? -1 : 1)
            }
        }
    }

    /// y[i] = table[ids[i]].
    public func gather(_ table: Tensor, _ ids: [Int32], into y: Tensor) {
        precondition(ids.count == y.rows && table.columns == y.columns)
        precondition(ids.allSatisfy { $0 >= 0 && Int($0) < table.rows })
        unsafe hone_gather(ids.count, y.columns, table.pointer, ids, y.pointer)
    }

    /// dTable[ids[i]] += dy[i], in the order of i.
    public func gatherBackward(_ dy: Tensor, _ ids: [Int32], to dTable: Tensor) {
        precondition(ids.count == dy.rows && dTable.columns == dy.columns)
        precondition(ids.allSatisfy { $0 >= 0 && Int($0) < dTable.rows })
        forRows(dy.columns, chunk: 64) { range in
            unsafe hone_scatter_add(
                ids.count, dy.columns, range.lowerBound, range.upperBound, dy.pointer, ids,
                dTable.pointer)
        }
    }

    /// Each row's cross-entropy; the logits become their gradients times `scale`.
    public func crossEntropy(_ logits: Tensor, targets: [Int32], scale: Float) -> [Double] {
        precondition(targets.count == logits.rows)
        precondition(targets.allSatisfy { $0 >= 0 && Int($0) < logits.columns })
        var losses = [Double](repeating: 0, count: targets.count)
        unsafe losses.withUnsafeMutableBufferPointer { losses in
            guard let first = losses.baseAddress else { return }
            forRows(logits.rows, chunk: rowChunk(logits.columns)) { range in
                unsafe targets.withUnsafeBufferPointer { targets in
                    guard let target = targets.baseAddress else { return }
                    unsafe hone_cross_entropy(
                        instructions, range.count, logits.columns,
                        logits.pointer + range.lowerBound * logits.columns,
                        target + range.lowerBound, scale, first + range.lowerBound)
                }
            }
        }
        return losses
    }

    /// Each row of logits becomes log-probabilities.
    public func logSoftmax(_ logits: Tensor) {
        forRows(logits.rows, chunk: rowChunk(logits.columns)) { range in
            unsafe hone_log_softmax(
                instructions, range.count, logits.columns,
                logits.pointer + range.lowerBound * logits.columns)
        }
    }
}

/// Cosines and sines of rotary positions 0..<positions.
public struct RotaryAngles: Sendable {
    public let headDimension: Int
    public let positions: Int
    let cosine: Tensor
    let sine: Tensor

    /// - Parameter frequencies: half as many as a head has columns.
    public init(frequencies: [Float], positions: Int) {
        headDimension = 2 * frequencies.count
        self.positions = positions
        cosine = Tensor(rows: positions, columns: frequencies.count)
        sine = Tensor(rows: positions, columns: frequencies.count)
        for position in 0..<positions {
            for (index, frequency) in frequencies.enumerated() {
                let (c, s) = cosineAndSine(Float(position) * frequency)
                cosine[position, index] = c
                sine[position, index] = s
            }
        }
    }
}
