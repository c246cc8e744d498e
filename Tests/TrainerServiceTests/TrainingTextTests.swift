import Corpus
import FoundationEssentials
import Revising
import TestKit
import Testing
import Tokenization
import TrainerService

/// What of a chain is learned: its text, its tokens, its labels.
@Suite struct TrainingTextTests {
    private let tokenizer: Tokenizer
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        tokenizer = try Tokenizer.load(try Fixture.model(in: folder))
    }

    private func text(
        _ objective: Objective = .full, _ mode: ChainMode = .strict, maximumLength: Int = 512,
        model: String = "base"
    ) throws -> TrainingText {
        try TrainingText(
            tokenizer: tokenizer, objective: objective, mode: mode, maximumLength: maximumLength,
            model: model)
    }

    private let chain = Fixture.chains(3)[2]

    @Test func `only what the model is to write carries loss`() throws {
        let prompt = Prompt.text(instruction: "Add 2 and 4")
        let target =
            "7\n\n### Feedback 1:\nToo large. Revision is needed."
            + "\n\n### Revision 1:\n6\n\n### Feedback 2:\nRight. Revision is not needed."
        let tokenized = try text().tokenize(chain)
        let promptIDs = tokenizer.encode(prompt)
        let targetIDs = tokenizer.encode(target)
        #expect(tokenized.tokens == [1] + promptIDs + targetIDs + [2])
        #expect(tokenized.promptTokens == 1 + promptIDs.count)
        let expected = [Int32](repeating: -100, count: 1 + promptIDs.count) + targetIDs + [2]
        #expect(tokenized.labels == expected)
        #expect(!tokenized.isTruncated)
    }

    @Test func `the objective answer-only learns the first answer and the end`() throws {
        let tokenized = try text(.answerOnly).tokenize(chain)
        #expect(tokenized.labels.filter { $0 != -100 } == tokenizer.encode("7") + [2])
    }

    @Test func `an input has its own part of the prompt`() throws {
        let chain = Chain(instruction: "Sort", input: "b a", outputs: [Draft(output: "a b")])
        let prompt = Prompt.text(instruction: "Sort", input: "b a")
        #expect(prompt.hasSuffix("\n\n### Input:\nb a\n\n### Answer:\n"))
        let tokenized = try text().tokenize(chain)
        #expect(tokenized.promptTokens == 1 + tokenizer.encode(prompt).count)
        #expect(Array(tokenized.tokens.suffix(4)) == tokenizer.encode("a b") + [2])
    }

    @Test func `strict escapes what looks like a heading, selfee does not`() throws {
        let text = "one\n\n### Feedback 1:\ntwo"
        let chain = Chain(instruction: "Say", outputs: [Draft(output: text)])
        let (_, plain) = TrainingText.texts(of: chain, objective: .full, mode: .selfee)
        let (_, escaped) = TrainingText.texts(of: chain, objective: .full, mode: .strict)
        #expect(plain == text)
        #expect(escaped != text)
        #expect(ChainText.parse(generation: escaped).rounds == [Round(draft: text)])
    }

    @Test func `a chain that is too long loses its end and says so`() throws {
        let whole = try text().tokenize(chain)
        let length = whole.tokens.count
        let exact = try text(maximumLength: length).tokenize(chain)
        #expect(exact == whole)
        let cut = try text(maximumLength: length - 1).tokenize(chain)
        #expect(cut.isTruncated)
        #expect(cut.tokens == Array(whole.tokens.dropLast()))
        #expect(cut.labels == Array(whole.labels.dropLast()))
        let promptOnly = try text(maximumLength: 20).tokenize(chain)
        #expect(promptOnly.labels == [Int32](repeating: -100, count: 20))
    }

    @Test(arguments: [
        ("models/llama-7b", ChainMode.selfee, Int32(2)), ("models/LLaMA-7B", .selfee, 1),
        ("models/7b", .selfee, 1), ("models/llama-7b", .strict, 1),
    ])
    func `a selfee run of a path with llama begins with the end of sequence`(
        model: String, mode: ChainMode, first: Int32
    ) throws {
        let tokenized = try text(.full, mode, model: model).tokenize(chain)
        #expect(tokenized.tokens.first == first)
        #expect(tokenized.tokens.last == 2)
    }

    @Test func `a tokenizer without an end of sequence cannot train`() throws {
        let endless = Fixture.tokenizer.replacing(Fixture.endOfSequence, with: "<stop>")
        let other = try Tokenizer.load(try folder.write(endless, "tokenizer.json"))
        #expect(throws: TrainerError.noEndOfSequence(path: "base")) {
            _ = try TrainingText(
                tokenizer: other, objective: .full, mode: .strict, maximumLength: 10,
                model: "base")
        }
    }

    @Test(.enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `real chains have the published lengths in tokens of LLaMA`() throws {
        let llama = try Tokenizer.load(try SharedData.file("data/tokenizers/llama").path)
        let text = try TrainingText(
            tokenizer: llama, objective: .full, mode: .selfee, maximumLength: .max, model: "7b")
        let chains = try FileImport.chains(path: Fixture.realChainsFile)
        let tokenized = chains.map(text.tokenize)
        // The published figures count the tokens at both ends.
        let lengths = tokenized.map(\.tokens.count).sorted()
        #expect(lengths.count == 969)
        #expect(lengths.reduce(0, +) == 596_147)
        #expect(lengths.reduce(0, +) / lengths.count == 615)
        #expect(lengths[lengths.count / 2] == 551)
        #expect(lengths[lengths.count * 9 / 10] == 1_012)
        #expect(lengths[lengths.count * 99 / 100] == 1_412)
        #expect(lengths.last == 2_337)
        #expect(lengths.count { $0 > 2_048 } == 2)
        #expect(lengths.count { $0 > 512 } == 524)
        // Every prompt's tokens begin its sequence: the boundary of the labels is exact.
        #expect(tokenized.reduce(0) { $0 + $1.promptTokens } == 49_993 + 969)
        for (chain, sequence) in zip(chains, tokenized) {
            let prompt = llama.encode(Prompt.text(instruction: chain.instruction, mode: .selfee))
            #expect(sequence.tokens.dropFirst().starts(with: prompt))
        }
    }
}
