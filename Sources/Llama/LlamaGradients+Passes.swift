internal import Tensors

// The arithmetic of a step, in the order it runs. For one layer:
//
//     normal = norm(x)          fused = normal Wqkvᵀ, rotated     attended = attention(fused)
//     middle = x + attended Woᵀ normal = norm(middle)              gateUp = normal Wguᵀ
//     activated = silu(gate) up x' = middle + activated Wdᵀ

extension LlamaGradients {
    func forward(_ batch: PackedBatch, _ memory: GradientWorkspace.Rows) {
        compute.gather(weights.embedding, batch.ids, into: memory.inputs[0])
        for layer in weights.layers.indices {
            forward(layer: layer, batch, memory)
            let activations = memory.activations(layer)
            compute.swiGLU(activations.gateUp, into: memory.activated)
            memory.inputs[layer + 1].copy(from: activations.middle)
            compute.multiply(
                memory.activated, weights.layers[layer].down, packing: packed.down,
                into: memory.inputs[layer + 1], adding: true)
        }
    }

    /// From a layer's input to its gate and up.
    private func forward(layer: Int, _ batch: PackedBatch, _ memory: GradientWorkspace.Rows) {
        let shape = weights.configuration.attention
        let epsilon = weights.configuration.normEpsilon
        let parameters = weights.layers[layer]
        let kept = memory.activations(layer)
        let x = memory.inputs[layer]
        compute.rmsNorm(
            x, weight: parameters.inputNorm, epsilon: epsilon, into: memory.normal,
            inverse: kept.inputInverse)
        compute.multiply(
            memory.normal, parameters.attention, packing: packed.attention, into: kept.fused)
        compute.rotate(
            kept.fused, heads: shape.queryHeads + shape.keyValueHeads,
            positions: batch.positions, angles: memory.angles)
        compute.attention(
            kept.fused, sequences: batch.sequences, shape: shape, into: kept.attended,
            logSums: kept.logSums)
        kept.middle.copy(from: x)
        compute.multiply(
            kept.attended, parameters.output, packing: packed.output, into: kept.middle,
            adding: true)
        compute.rmsNorm(
            kept.middle, weight: parameters.outputNorm, epsilon: epsilon, into: memory.normal,
            inverse: kept.outputInverse)
        compute.multiply(
            memory.normal, parameters.gateUp, packing: packed.gateUp, into: kept.gateUp)
    }

    /// Loss, and from it the gradient of the last layer's output.
    func head(
        _ batch: PackedBatch, _ memory: GradientWorkspace.Rows, scale: Float, backward: Bool
    ) -> Double {
        let epsilon = weights.configuration.normEpsilon
        let stream = memory.inputs[weights.layers.count]
        compute.pack(weights.head, into: packedHead)
        memory.dx.fill(0)
        var loss = 0.0
        for start in stride(from: 0, to: batch.scored.count, by: memory.logits.rows) {
            let range = start..<min(batch.scored.count, start + memory.logits.rows)
            let rows = Array(batch.scored[range])
            let x = memory.chosen.slice(rows: 0..<range.count)
            let normal = memory.normal.slice(rows: 0..<range.count)
            let inverse = memory.finalInverse.slice(rows: 0..<range.count)
            let logits = memory.logits.slice(rows: 0..<range.count)
            compute.gather(stream, rows, into: x)
            compute.rmsNorm(
                x, weight: weights.finalNorm, epsilon: epsilon, into: normal, inverse: inverse)
            compute.multiply(normal, packedHead, into: logits)
            let losses = compute.crossEntropy(
                logits, targets: Array(batch.targets[range]), scale: scale)
            loss += losses.reduce(0, +)
            guard backward else { continue }
            let dNormal = memory.dNormal.slice(rows: 0..<range.count)
            compute.addWeightGradient(logits, normal, to: gradients.head)
            compute.multiplyBackward(logits, weights.head, into: dNormal)
            // Where the norm's output was, its input's gradient goes.
            normal.fill(0)
            compute.rmsNormBackward(
                x, weight: weights.finalNorm, inverse: inverse, dy: dNormal, dx: normal,
                dWeight: gradients.finalNorm, partial: memory.partial)
            compute.gatherBackward(normal, rows, to: memory.dx)
        }
        return loss
    }

    func backward(_ batch: PackedBatch, _ memory: GradientWorkspace.Rows) {
        for layer in weights.layers.indices.reversed() {
            if recomputes { forward(layer: layer, batch, memory) }
            feedForwardBackward(layer, memory)
            attentionBackward(layer, batch, memory)
        }
        compute.gatherBackward(memory.dx, batch.ids, to: gradients.embedding)
    }

    private func feedForwardBackward(_ layer: Int, _ memory: GradientWorkspace.Rows) {
        let kept = memory.activations(layer)
        let parameters = weights.layers[layer]
        let slopes = gradients.layers[layer]
        compute.multiplyBackward(memory.dx, parameters.down, into: memory.activated)
        compute.swiGLUBackward(kept.gateUp, memory.activated)
        compute.addWeightGradient(memory.dx, memory.activated, to: slopes.down)
        compute.multiplyBackward(kept.gateUp, parameters.gateUp, into: memory.dNormal)
        compute.rmsNormAgain(
            kept.middle, weight: parameters.outputNorm, inverse: kept.outputInverse,
            into: memory.normal)
        compute.addWeightGradient(kept.gateUp, memory.normal, to: slopes.gateUp)
        compute.rmsNormBackward(
            kept.middle, weight: parameters.outputNorm, inverse: kept.outputInverse,
            dy: memory.dNormal, dx: memory.dx, dWeight: slopes.outputNorm,
            partial: memory.partial)
    }

    private func attentionBackward(
        _ layer: Int, _ batch: PackedBatch, _ memory: GradientWorkspace.Rows
    ) {
        let shape = weights.configuration.attention
        let kept = memory.activations(layer)
        let parameters = weights.layers[layer]
        let slopes = gradients.layers[layer]
        let x = memory.inputs[layer]
        compute.addWeightGradient(memory.dx, kept.attended, to: slopes.output)
        compute.multiplyBackward(memory.dx, parameters.output, into: memory.dAttended)
        compute.attentionBackward(
            kept.fused, sequences: batch.sequences, shape: shape, y: kept.attended,
            logSums: kept.logSums, dy: memory.dAttended, dFused: memory.dFused)
        compute.rotate(
            memory.dFused, heads: shape.queryHeads + shape.keyValueHeads,
            positions: batch.positions, angles: memory.angles, backward: true)
        compute.rmsNormAgain(
            x, weight: parameters.inputNorm, inverse: kept.inputInverse, into: memory.normal)
        compute.addWeightGradient(memory.dFused, memory.normal, to: slopes.attention)
        compute.multiplyBackward(memory.dFused, parameters.attention, into: memory.dNormal)
        compute.rmsNormBackward(
            x, weight: parameters.inputNorm, inverse: kept.inputInverse, dy: memory.dNormal,
            dx: memory.dx, dWeight: slopes.inputNorm, partial: memory.partial)
    }
}
