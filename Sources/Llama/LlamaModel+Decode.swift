public import Tensors

extension LlamaModel {
    /// Appends each step's tokens to its cache and returns the wanted logits.
    ///
    /// Nothing is changed when it throws.
    ///
    /// - Parameter steps: each with a cache of its own; no tokens is allowed.
    public func decode(
        _ steps: [DecodeStep], workspace: DecodeWorkspace
    ) throws(LlamaError) -> DecodeResult {
        try check(steps)
        var rows: [Range<Int>] = []
        for step in steps {
            let start = rows.last?.upperBound ?? 0
            rows.append(start..<start + step.wantedCount)
        }
        let logits = workspace.logits(rows: rows.last?.upperBound ?? 0)
        var done = 0
        for pieces in pieces(of: steps, maximumRows: workspace.maximumRows) {
            done += run(pieces, workspace, logits: logits, from: done)
            for piece in pieces {
                piece.step.cache.advance(by: piece.tokens.count)
            }
        }
        return DecodeResult(logits: logits, rows: rows)
    }

    /// A step's tokens that are computed at once.
    private struct Piece {
        let step: DecodeStep
        let tokens: Range<Int>

        /// Which of its tokens' logits are wanted.
        var wanted: Range<Int> {
            switch step.wanted {
            case .none: tokens.lowerBound..<tokens.lowerBound
            case .all: tokens
            case .last:
                tokens.upperBound == step.tokens.count && !tokens.isEmpty
                    ? tokens.upperBound - 1..<tokens.upperBound
                    : tokens.lowerBound..<tokens.lowerBound
            }
        }
    }

    private func check(_ steps: [DecodeStep]) throws(LlamaError) {
        for (index, step) in steps.enumerated() {
            precondition(
                !steps[..<index].contains { $0.cache === step.cache }, "one cache in two steps")
            for token in step.tokens where token < 0 || Int(token) >= configuration.vocabularySize {
                throw .token(token, vocabulary: configuration.vocabularySize)
            }
            guard step.cache.count + step.tokens.count <= step.cache.capacity else {
                throw .cacheFull(
                    count: step.cache.count, adding: step.tokens.count,
                    capacity: step.cache.capacity)
            }
        }
    }

    /// Cuts the tokens into runs that fit the workspace, in order.
    private func pieces(of steps: [DecodeStep], maximumRows: Int) -> [[Piece]] {
        var runs: [[Piece]] = []
        var run: [Piece] = []
        var room = maximumRows
        for step in steps {
            var start = 0
            while start < step.tokens.count {
                let count = min(room, step.tokens.count - start)
                run.append(Piece(step: step, tokens: start..<start + count))
                start += count
                room -= count
                if room == 0 {
                    runs.append(run)
                    run = []
                    room = maximumRows
                }
            }
        }
        return run.isEmpty ? runs : runs + [run]
    }

    /// - Returns: how many rows of logits were written.
    private func run(
        _ pieces: [Piece], _ workspace: DecodeWorkspace, logits: Tensor, from start: Int
    ) -> Int {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var wanted: [Int] = []
        var ranges: [Range<Int>] = []
        for piece in pieces {
            let row = ids.count
            let past = piece.step.cache.count
            ids += piece.step.tokens[piece.tokens]
            positions += (past..<past + piece.tokens.count).map(Int32.init)
            wanted += piece.wanted.map { row + $0 - piece.tokens.lowerBound }
            ranges.append(row..<ids.count)
        }
        let memory = workspace.slice(rows: ids.count)
        let angles = workspace.angles(positions: Int(positions.max() ?? 0) + 1)
        compute.gather(embedding, ids, into: memory.x)
        for index in layers.indices {
            let parts = zip(pieces, ranges).map { piece, rows in
                CachedPart(
                    rows: rows, past: piece.step.cache.count,
                    cache: piece.step.cache.layers[index])
            }
            forward(layers[index], memory, parts: parts, positions: positions, angles: angles)
        }
        guard !wanted.isEmpty else { return 0 }
        let last = memory.normal.slice(rows: 0..<wanted.count)
        compute.gather(memory.x, wanted.map(Int32.init), into: last)
        compute.rmsNorm(
            last, weight: finalNorm, epsilon: configuration.normEpsilon, into: last)
        compute.multiply(
            last, head, into: logits.slice(rows: start..<start + wanted.count))
        return wanted.count
    }

    private func forward(
        _ layer: Layer, _ memory: DecodeWorkspace.Rows, parts: [CachedPart],
        positions: [Int32], angles: RotaryAngles
    ) {
        let shape = configuration.attention
        let epsilon = configuration.normEpsilon
        compute.rmsNorm(
            memory.x, weight: layer.inputNorm, epsilon: epsilon, into: memory.normal)
        compute.multiply(memory.normal, layer.attention, into: memory.fused)
        compute.rotate(
            memory.fused, heads: shape.queryHeads + shape.keyValueHeads, positions: positions,
            angles: angles)
        compute.attention(memory.fused, parts: parts, shape: shape, into: memory.attended)
        compute.multiply(memory.attended, layer.output, into: memory.x, adding: true)
        compute.rmsNorm(
            memory.x, weight: layer.outputNorm, epsilon: epsilon, into: memory.normal)
        compute.multiply(memory.normal, layer.gateUp, into: memory.gateUp)
        compute.swiGLU(memory.gateUp, into: memory.activated)
        compute.multiply(memory.activated, layer.down, into: memory.x, adding: true)
    }
}

extension LlamaModel {
    /// Rows of logits become log-probabilities, in place.
    public func logProbabilities(of logits: Tensor) {
        compute.logSoftmax(logits)
    }
}
