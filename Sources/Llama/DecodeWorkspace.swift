internal import Tensors

/// Memory of a decoding thread, kept from call to call.
public final class DecodeWorkspace {
    /// Tokens computed at once.
    public let maximumRows: Int
    private let configuration: LlamaConfiguration
    private var memory: Rows
    private var logits: Tensor
    private var angles: RotaryAngles

    /// What a forward pass writes, as many rows as there are tokens.
    struct Rows {
        /// The residual stream.
        let x: Tensor
        /// A norm's output.
        let normal: Tensor
        /// Queries, keys, values.
        let fused: Tensor
        let attended: Tensor
        let gateUp: Tensor
        let activated: Tensor
    }

    init(_ configuration: LlamaConfiguration, maximumRows: Int) {
        precondition(maximumRows >= 1, "\(maximumRows) rows")
        self.configuration = configuration
        self.maximumRows = maximumRows
        memory = Rows(configuration, rows: 0)
        logits = Tensor(rows: 0, columns: configuration.vocabularySize)
        angles = RotaryAngles(
            frequencies: configuration.rotary.frequencies(
                headDimension: configuration.headDimension),
            positions: 0)
    }

    func slice(rows: Int) -> Rows {
        if memory.x.rows < rows {
            memory = Rows(configuration, rows: max(rows, min(maximumRows, 2 * memory.x.rows)))
        }
        return memory.slice(rows)
    }

    func logits(rows: Int) -> Tensor {
        if logits.rows < rows {
            logits = Tensor(rows: rows, columns: configuration.vocabularySize)
        }
        return logits.slice(rows: 0..<rows)
    }

    func angles(positions: Int) -> RotaryAngles {
        if angles.positions < positions {
            angles = RotaryAngles(
                frequencies: configuration.rotary.frequencies(
                    headDimension: configuration.headDimension),
                positions: max(positions, 2 * angles.positions, 256))
        }
        return angles
    }
}

extension DecodeWorkspace.Rows {
    init(_ configuration: LlamaConfiguration, rows: Int) {
        let shape = configuration.attention
        x = Tensor(rows: rows, columns: configuration.dimension)
        normal = Tensor(rows: rows, columns: configuration.dimension)
        fused = Tensor(rows: rows, columns: shape.fusedColumns)
        attended = Tensor(rows: rows, columns: shape.queryColumns)
        gateUp = Tensor(rows: rows, columns: 2 * configuration.intermediateDimension)
        activated = Tensor(rows: rows, columns: configuration.intermediateDimension)
    }

    func slice(_ rows: Int) -> Self {
        Self(
            x: x.slice(rows: 0..<rows), normal: normal.slice(rows: 0..<rows),
            fused: fused.slice(rows: 0..<rows), attended: attended.slice(rows: 0..<rows),
            gateUp: gateUp.slice(rows: 0..<rows), activated: activated.slice(rows: 0..<rows))
    }
}
