import Corpus
import GatewayService
import Testing

@Suite struct `A workflow definition` {
    private let text = """
        name: small
        parameters:
          folder: /data
          rows: 3
          chains: ${folder}/chains.jsonl
          key:
        steps:
          - name: chains
            kind: import
            path: ${chains}
            format: selfee
            dataset: "chains"
          - name: train
            kind: train
            dataset: ${steps.chains.dataset}
            outputModel: m-${rows}
          - name: stats
            kind: stats
            dataset: ${steps.chains.dataset}
            after: []
        """

    @Test func `gives parameters, steps and what they need`() throws {
        let definition = try WorkflowDefinition(parsing: text)
        #expect(definition.name == "small")
        #expect(definition.steps.map(\.name) == ["chains", "train", "stats"])
        #expect(definition.steps[1].after == ["chains"])
        #expect(definition.steps[2].after == ["chains"])
        let values = try definition.values(given: ["key": "k", "rows": "7"])
        #expect(values["chains"] == "/data/chains.jsonl")
        #expect(values["rows"] == "7")
        let results: [String: JSON] = ["chains": ["dataset": "chains@abc"]]
        let fields = try Substitution(values: values, results: results).apply(
            to: definition.steps[1].fields, step: "train")
        #expect(fields["dataset"] == "chains@abc")
        #expect(fields["outputModel"] == "m-7")
    }

    @Test func `may be JSON`() throws {
        let definition = try WorkflowDefinition(
            parsing: #"{"steps":[{"name":"a","kind":"load","model":"m"}]}"#)
        #expect(definition.steps.count == 1)
    }

    @Test func `keeps escaped dollars and whole values`() throws {
        let substitution = Substitution(values: ["n": 3, "list": [1, 2]])
        #expect(try substitution.apply(to: "$${n} $ ${n}", step: "s") == "${n} $ 3")
        #expect(try substitution.apply(to: "${list}", step: "s") == [1, 2])
    }

    @Test(arguments: [
        ("steps: 3", "steps"),
        ("{", "cannot be read"),
        ("steps: [{name: a, kind: dance}]", "its kind is none of"),
        ("steps: [{name: a, kind: load}]", "needs \"model\""),
        ("steps: [{name: a, kind: load, model: m, speed: 3}]", "\"speed\" means nothing"),
        ("steps: [{name: a, kind: load, model: m}, {name: a, kind: load, model: m}]", "two steps"),
        ("steps: [{name: a, kind: load, model: \"${steps.b.model}\"}]", "steps.b"),
        ("steps: [{name: a, kind: load, model: m, after: [z]}]", "steps.z"),
        ("wheels: 4\nsteps: [{name: a, kind: load, model: m}]", "wheels"),
    ])
    func `is refused with the reason`(text: String, reason: String) throws {
        let error = try #require(throws: GatewayError.self) {
            try WorkflowDefinition(parsing: text)
        }
        #expect(error.description.contains(reason))
    }

    @Test func `needs every parameter and knows no other`() throws {
        let definition = try WorkflowDefinition(parsing: text)
        #expect(throws: GatewayError.missingParameter(name: "key")) {
            try definition.values(given: [:])
        }
        let known = ["folder", "rows", "chains", "key"]
        #expect(throws: GatewayError.unknownParameter(name: "kye", known: known)) {
            try definition.values(given: ["kye": "", "key": ""])
        }
    }
}
