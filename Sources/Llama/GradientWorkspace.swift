internal import Tensors

/// Memory of a pass forward and backward, for up to `rows` tokens.
struct GradientWorkspace {
    let rows: Int
    let configuration: LlamaConfiguration
    /// The stream that enters each layer, and last the one that leaves.
    var inputs: [Tensor]
    /// One for each layer, or one for all where activations are recomputed.
    let activations: [Activations]
    /// The stream's gradient.
    let dx: Tensor
    /// A norm's output, then its gradient.
    let normal: Tensor
    let dNormal: Tensor
    /// silu(gate) · up, and its gradient before.
    let activated: Tensor
    let dFused: Tensor
    let dAttended: Tensor
    /// Sums of gains' gradients over fixed stretches of rows.
    let partial: Tensor
    let finalInverse: Tensor
    /// Scored rows of the stream, moved together.
    let chosen: Tensor
    let logits: Tensor
    private(set) var angles: RotaryAngles

    /// What a layer keeps for its way back.
    struct Activations {
        let inputInverse: Tensor
        /// Queries, keys, values after rotation.
        let fused: Tensor
        let logSums: Tensor
        let attended: Tensor
        /// The stream between attention and feed-forward part.
        let middle: Tensor
        let outputInverse: Tensor
        let gateUp: Tensor
    }

    /// Logits computed at once: 32 MiB.
    private static let logitFloats = 1 << 23

    init(_ c: LlamaConfiguration, rows: Int, recomputes: Bool) {
        let shape = c.attention
        self.rows = rows
        configuration = c
        let d = c.dimension
        inputs = (0...c.layers).map { _ in Tensor(rows: rows, columns: d) }
        activations = (0..<(recomputes ? 1 : c.layers)).map { _ in Activations(c, rows: rows) }
        dx = Tensor(rows: rows, columns: d)
        normal = Tensor(rows: rows, columns: d)
        dNormal = Tensor(rows: rows, columns: d)
        activated = Tensor(rows: rows, columns: c.intermediateDimension)
        dFused = Tensor(rows: rows, columns: shape.fusedColumns)
        dAttended = Tensor(rows: rows, columns: shape.queryColumns)
        partial = Tensor(rows: rows / Compute.gainChunk + 1, columns: d)
        finalInverse = Tensor(rows: rows, columns: 1)
        let logitRows = min(rows, max(32, GradientWorkspace.logitFloats / c.vocabularySize))
        chosen = Tensor(rows: logitRows, columns: d)
        logits = Tensor(rows: logitRows, columns: c.vocabularySize)
        angles = RotaryAngles(
            frequencies: c.rotary.frequencies(headDimension: c.headDimension), positions: 0)
    }

    /// The same memory with only the first rows showing.
    struct Rows {
        let inputs: [Tensor]
        let activations: [Activations]
        let dx: Tensor
        let normal: Tensor
        let dNormal: Tensor
        let activated: Tensor
        let dFused: Tensor
        let dAttended: Tensor
        let partial: Tensor
        let finalInverse: Tensor
        let chosen: Tensor
        let logits: Tensor
        let angles: RotaryAngles

        func activations(_ layer: Int) -> Activations {
            activations.count == 1 ? activations[0] : activations[layer]
        }
    }

    mutating func slice(rows: Int, positions: Int) -> Rows {
        if angles.positions < positions {
            angles = RotaryAngles(
                frequencies: configuration.rotary.frequencies(
                    headDimension: configuration.headDimension),
                positions: max(positions, 2 * angles.positions))
        }
        return Rows(
            inputs: inputs.map { $0.slice(rows: 0..<rows) },
            activations: activations.map { $0.slice(rows) }, dx: dx.slice(rows: 0..<rows),
            normal: normal.slice(rows: 0..<rows), dNormal: dNormal.slice(rows: 0..<rows),
            activated: activated.slice(rows: 0..<rows), dFused: dFused.slice(rows: 0..<rows),
            dAttended: dAttended.slice(rows: 0..<rows), partial: partial,
            finalInverse: finalInverse, chosen: chosen, logits: logits, angles: angles)
    }
}

extension GradientWorkspace.Activations {
    init(_ c: LlamaConfiguration, rows: Int) {
        let shape = c.attention
        inputInverse = Tensor(rows: rows, columns: 1)
        fused = Tensor(rows: rows, columns: shape.fusedColumns)
        logSums = Tensor(rows: rows, columns: shape.queryHeads)
        attended = Tensor(rows: rows, columns: shape.queryColumns)
        middle = Tensor(rows: rows, columns: c.dimension)
        outputInverse = Tensor(rows: rows, columns: 1)
        gateUp = Tensor(rows: rows, columns: 2 * c.intermediateDimension)
    }

    func slice(_ rows: Int) -> Self {
        Self(
            inputInverse: inputInverse.slice(rows: 0..<rows),
            fused: fused.slice(rows: 0..<rows), logSums: logSums.slice(rows: 0..<rows),
            attended: attended.slice(rows: 0..<rows), middle: middle.slice(rows: 0..<rows),
            outputInverse: outputInverse.slice(rows: 0..<rows),
            gateUp: gateUp.slice(rows: 0..<rows))
    }
}
