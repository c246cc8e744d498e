/// The whole loop on built-in drills, as a workflow.
struct DemoWorkflow: Sendable {
    /// How large the drills and the model are.
    struct Scale: Sendable {
        var letters: Int
        var alphabet: Int
        var digits: Int
        var base: Int
        /// Chains of each family to learn from.
        var chains: Int
        /// Questions of each family to answer.
        var questions: Int
        var dimension: Int
        var layers: Int
        var intermediate: Int
        var batch: Int
        var steps: Int
        var learningRate: Double

        /// Minutes on two cores.
        static let full = Scale(
            letters: 8, alphabet: 26, digits: 8, base: 4, chains: 5_000, questions: 100,
            dimension: 128, layers: 4, intermediate: 352, batch: 32, steps: 2_000,
            learningRate: 3e-3)
        /// Smaller drills, for a first look and for tests.
        static let quick = Scale(
            letters: 5, alphabet: 10, digits: 5, base: 3, chains: 2_000, questions: 40,
            dimension: 96, layers: 3, intermediate: 256, batch: 32, steps: 1_000,
            learningRate: 4e-3)
    }

    var scale: Scale
    /// The tutor's address: `http://HOST:PORT/v1`.
    var tutor: String

    static let families = ["sort", "add"]

    /// The definition, YAML.
    var text: String {
        """
        name: demo
        steps:
        \(Self.families.map(chains).joined(separator: "\n"))
          - name: merge
            kind: merge
            dataset: drills
            inputs:
              - { dataset: "${steps.sort-chains.dataset}", label: sort }
              - { dataset: "${steps.add-chains.dataset}", label: add }
          - name: train
            kind: train
            dataset: "${steps.merge.dataset}"
            outputModel: drills
            vocabularySize: 512
            configuration: >-
              {"model_type": "llama", "hidden_size": \(scale.dimension),
              "intermediate_size": \(scale.intermediate), "num_hidden_layers": \(scale.layers),
              "num_attention_heads": 4, "num_key_value_heads": 4, "max_position_embeddings": 512,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false,
              "initializer_range": 0.08, "hidden_act": "silu", "vocab_size": 512}
            maximumSteps: \(scale.steps)
            batchSize: \(scale.batch)
            learningRate: \(scale.learningRate)
            scheduler: cosine
            warmupRatio: 0.03
            beta2: 0.99
            modelMaxLength: 512
            saveSteps: 500
            saveTotalLimit: 1
            loggingSteps: 1
            seed: 1
          - name: load
            kind: load
            model: drills
        \(Self.families.map(questions).joined(separator: "\n"))
        """
    }

    private func drill(_ family: String, count: Int, seed: Int) -> String {
        let size =
            family == "sort"
            ? "size: \(scale.letters), alphabet: \(scale.alphabet)"
            : "size: \(scale.digits), base: \(scale.base)"
        return "kind: drill, family: \(family), count: \(count), \(size), seed: \(seed)"
    }

    private func chains(_ family: String) -> String {
        """
          - { name: \(family), \(drill(family, count: scale.chains, seed: 1)), dataset: \(family) }
          - name: \(family)-chains
            kind: augment
            dataset: "${steps.\(family).dataset}"
            output: \(family)-chains
            procedure: alpaca
            mode: strict
            concurrency: 32
            endpoint: { url: "\(tutor)", model: tutor }
        """
    }

    private func questions(_ family: String) -> String {
        let test = "\(family)-test"
        func answers(_ name: String, _ revision: String) -> String {
            """
              - name: \(family)-\(name)
                kind: answer
                questions: "${steps.\(test).questions}"
                model: drills
                modelId: \(name)
                revision: \(revision)
                concurrency: 16
                sampling: { temperature: 0 }
              - name: \(family)-\(name)-match
                kind: match
                answers: "${steps.\(family)-\(name).answers}"
                expected: "${steps.\(test).expected}"
            """
        }
        return """
              - { name: \(test), \(drill(family, count: scale.questions, seed: 2)), excluding: "${steps.\(family).questions}" }
            \(answers("plain", "{ mode: off }"))
            \(answers("revised", "{ mode: enforced, minimum: 3, maximum: 3 }"))
            \(answers("autonomous", "{ mode: autonomous, maximum: 3 }"))
              - name: \(family)-judge
                kind: judge
                questions: "${steps.\(test).questions}"
                answers: "${steps.\(family)-revised.answers}"
                opponent: "${steps.\(family)-plain.answers}"
                bothOrders: true
                modelName: 3 revisions
                opponentName: 0 revisions
                concurrency: 8
                endpoint: { url: "\(tutor)", model: tutor }
            """
    }
}
