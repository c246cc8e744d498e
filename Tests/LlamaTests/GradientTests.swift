import FoundationEssentials
import Llama
import Tensors
import TestKit
import Testing

@Suite(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
struct ReferenceGradientTests {
    @Test(arguments: Reference.names, [false, true])
    func `losses and gradients equal those of transformers`(
        name: String, recomputes: Bool
    ) throws {
        let reference = try Reference(name)
        let weights = try LlamaWeights(folder: reference.folder)
        let compute = Compute(threads: 2)
        for masked in [false, true] {
            let expected =
                masked ? reference.expected.masked_labels : reference.expected.full_labels
            let sequences = (0..<2).map { row in
                TrainingSequence(
                    ids: reference.expected.input_ids[row],
                    labels: masked
                        ? reference.expected.labels_masked[row]
                        : reference.expected.input_ids[row])
            }
            let scored = Float(sequences.reduce(0) { $0 + $1.scoredCount })
            let engine = LlamaGradients(weights, compute: compute, recomputes: recomputes)
            let sum = try engine.addGradients(of: sequences, scale: 1 / scored)
            #expect(abs(sum / Double(scored) - expected.loss) < 1e-4)
            #expect(abs(try engine.loss(of: sequences) - sum) < 1e-6 * sum)
            let norm = compute.sumOfSquares(engine.gradients.all).squareRoot()
            #expect(abs(norm - expected.grad_norm) < 1e-4 * expected.grad_norm)
            for (name, wanted) in expected.grad_norms {
                let tensor = try #require(engine.gradients[name])
                let norm = compute.sumOfSquares(tensor).squareRoot()
                #expect(abs(norm - wanted) < 1e-4 * wanted, "\(name): \(norm), not \(wanted)")
            }
            if masked { try compareTensors(engine, reference) }
        }
    }

    private func compareTensors(_ engine: LlamaGradients, _ reference: Reference) throws {
        let table = try #require(engine.gradients["model.embed_tokens.weight"])
        let pairs = [
            ("grad.model.norm.weight", try #require(engine.gradients["model.norm.weight"])),
            (
                "grad.layers.0.q_proj",
                try #require(engine.gradients["model.layers.0.self_attn.q_proj.weight"])
            ),
            ("grad.embed_tokens_rows_0_64", table.slice(rows: 0..<64)),
            ("hidden_after_layer0", engine.input(ofLayer: 1)),
        ]
        for (name, tensor) in pairs {
            let expected = try reference.tensors.read(name).values
            let values = tensor.slice(rows: 0..<expected.count / tensor.columns).values
            #expect(largestDifference(values, expected) < 1e-4, "\(name)")
        }
    }
}

struct GradientTests {
    private let sequences = [
        TrainingSequence(ids: tinyTokens(19, seed: 1), labels: tinyTokens(19, seed: 1)),
        TrainingSequence(
            ids: tinyTokens(40, seed: 2),
            labels: Array(repeating: -100, count: 25) + tinyTokens(40, seed: 2)[25...]),
        TrainingSequence(ids: tinyTokens(7, seed: 3), labels: tinyTokens(7, seed: 3)),
    ]

    private func gradients(
        _ weights: LlamaWeights, threads: Int = 1, recomputes: Bool = false,
        passes: [[TrainingSequence]]
    ) throws -> (loss: Double, gradients: Tensor) {
        let engine = LlamaGradients(
            weights, compute: Compute(threads: threads), recomputes: recomputes)
        let loss = try passes.reduce(0.0) {
            try $0 + engine.addGradients(of: $1, scale: 1 / 39)
        }
        return (loss, engine.gradients.all)
    }

    @Test func `gradients equal central differences of the loss`() throws {
        var configuration = tiny
        configuration.tiesEmbeddings = true
        let weights = LlamaWeights(random: configuration, seed: 4)
        // Larger weights than a new model's, so that every part matters.
        for (entry, tensor) in zip(weights.layout.entries, weights.tensors) where entry.isMatrix {
            Compute().add(tensor.copied(), to: tensor, factor: 9)
        }
        let engine = LlamaGradients(weights, compute: Compute())
        _ = try engine.addGradients(of: sequences, scale: 1)
        var source = RandomSource(seed: 5)
        for (index, tensor) in weights.tensors.enumerated() {
            // Along a random direction: one number tests the whole tensor.
            let direction = Tensor(rows: tensor.rows, columns: tensor.columns)
            direction.fillNormal(deviation: 1, from: &source)
            let kept = tensor.copied()
            let step: Float = 2e-3
            var losses: [Double] = []
            for sign: Float in [-1, 1] {
                tensor.copy(from: kept)
                Compute().add(direction, to: tensor, factor: sign * step)
                losses.append(try engine.loss(of: sequences))
            }
            tensor.copy(from: kept)
            let measured = (losses[1] - losses[0]) / Double(2 * step)
            let computed = zip(engine.gradients.tensors[index].values, direction.values)
                .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let name = weights.layout.entries[index].name
            #expect(
                abs(measured - computed) < 0.02 * max(abs(computed), 1),
                "\(name): \(computed), measured \(measured)")
        }
    }

    @Test func `threads do not change a bit of the gradients`() throws {
        let weights = LlamaWeights(random: tiny, seed: 6)
        let one = try gradients(weights, threads: 1, passes: [sequences])
        for threads in 2...3 {
            let more = try gradients(weights, threads: threads, passes: [sequences])
            #expect(more.loss == one.loss)
            #expect(more.gradients.values == one.gradients.values, "\(threads) threads")
        }
    }

    @Test func `recomputing activations gives the same bits`() throws {
        let weights = LlamaWeights(random: tiny, seed: 7)
        let kept = try gradients(weights, passes: [sequences])
        let recomputed = try gradients(weights, recomputes: true, passes: [sequences])
        #expect(recomputed.loss == kept.loss)
        #expect(recomputed.gradients.values == kept.gradients.values)
    }

    @Test func `cutting a step into passes changes neither loss nor gradients`() throws {
        let weights = LlamaWeights(random: tiny, seed: 8)
        let whole = try gradients(weights, passes: [sequences])
        let cut = try gradients(weights, passes: sequences.map { [$0] })
        #expect(abs(cut.loss - whole.loss) < 1e-6 * whole.loss)
        #expect(largestDifference(cut.gradients.values, whole.gradients.values) < 1e-6)
    }
}
