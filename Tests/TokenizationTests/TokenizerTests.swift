import FoundationEssentials
import TestKit
import Testing
import Tokenization

struct TokenizerTests {
    /// A trained vocabulary with bytes for everything, as a folder.
    private func small() throws -> Tokenizer {
        var settings = VocabularyTrainer.Settings()
        settings.maximumSize = 300
        var trainer = VocabularyTrainer(settings)
        trainer.add("the cat and the hat and the bat sat")
        return try trainer.train()
    }

    @Test func `a stream never cuts a character`() throws {
        let tokenizer = try small()
        let ids = tokenizer.encode("a😀b")
        var decoder = tokenizer.streamingDecoder()
        let parts = ids.map { decoder.append($0) }
        #expect(parts.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") })
        #expect(parts.joined() + decoder.finish() == "a😀b")
        var cut = tokenizer.streamingDecoder()
        let half = ids.prefix(3).map { cut.append($0) }.joined()
        #expect(cut.isHolding)
        #expect(half + cut.finish() == "a\u{FFFD}")
        #expect(tokenizer.decode(ids.prefix(3)) == "a\u{FFFD}")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `any sequence of ids streams to the text that decoding gives`(seed: UInt64) throws {
        let tokenizer = try small()
        var random = SplitMix64(seed: seed)
        let ids = (0..<40).map { _ in
            TokenID.random(in: 0..<TokenID(tokenizer.vocabularySize), using: &random)
        }
        var decoder = tokenizer.streamingDecoder()
        let text = ids.map { decoder.append($0) }.joined() + decoder.finish()
        #expect(text == tokenizer.decode(ids), "seed \(seed)")
    }

    @Test func `text that reads like a special token is one only if asked for`() throws {
        let tokenizer = try small()
        #expect(tokenizer.encode("</s>") == [2])
        let plain = tokenizer.encode("</s>", parsing: false)
        #expect(plain.count > 1 && tokenizer.decode(plain) == "</s>")
        #expect(tokenizer.decode([1, 2]) == "")
        #expect(tokenizer.decode([1, 2], skippingSpecial: false) == "<s></s>")
    }

    @Test func `an added token survives saving and loading`() throws {
        let folder = try TemporaryFolder()
        let (grown, id) = try small().adding("[PAD]", asPadding: true)
        #expect(grown.padID == id && Int(id) == grown.vocabularySize - 1)
        try grown.save(to: folder.path)
        let loaded = try Tokenizer.load(folder.path)
        #expect(loaded.padID == id && loaded.vocabularySize == grown.vocabularySize)
        #expect(loaded.encode("the [PAD]") == grown.encode("the [PAD]"))
        #expect(loaded.encode("[PAD]") == [id])
        let (same, known) = try loaded.adding("[PAD]")
        #expect(known == id && same.vocabularySize == loaded.vocabularySize)
    }

    @Test(.enabled(if: SharedData.isPresent, "needs LLaMA's tokenizer.model"))
    func `a padding token enlarges LLaMA's vocabulary to 32,001`() throws {
        let path = try SharedData.file("data/tokenizers/llama/tokenizer.model").path
        let llama = try Tokenizer.load(path)
        #expect(llama.vocabularySize == 32000 && llama.padID == nil)
        #expect(llama.bosID == 1 && llama.eosID == 2 && llama.unknownID == 0)
        #expect(llama.encode("Hi", special: true) == [1, 6324])
        #expect(llama.encode("a</s>", parsing: true) == [263, 2])
        let (grown, id) = try llama.adding("[PAD]", asPadding: true)
        #expect(id == 32000 && grown.vocabularySize == 32001)
        let folder = try TemporaryFolder()
        try grown.save(to: folder.path)
        let loaded = try Tokenizer.load(folder.path)
        #expect(loaded.padID == 32000 && loaded.vocabularySize == 32001)
        #expect(
            loaded.encode("Good. Revision is needed") == llama.encode("Good. Revision is needed"))
    }

    @Test func `a file that is no tokenizer says what is wrong with it`() throws {
        let folder = try TemporaryFolder()
        #expect(throws: TokenizationError.self) { try Tokenizer.load(folder.path) }
        #expect(throws: TokenizationError.self) { try Tokenizer.load(folder.path + "/none") }
        let broken: [[UInt8]] = [
            Array("{}".utf8), Array(#"{"model": {"type": "WordPiece"}}"#.utf8),
            Array(#"{"model": {"vocab": {"a": 0}, "merges": ["a b"]}}"#.utf8),
            Array(#"{"model": {"vocab": {"a": 2000000000}}}"#.utf8),
            Array("{\"model".utf8), [0x0A, 0x7F, 0x01], Array("!!! 1\n".utf8), [],
            Array("YQ== 0\n".utf8),
        ]
        for (index, bytes) in broken.enumerated() {
            let path = folder.path + "/\(index)"
            try Data(bytes).write(to: URL(filePath: path))
            #expect(throws: TokenizationError.self, "case \(index)") { try Tokenizer.load(path) }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `a damaged model file is refused or read, never a crash`(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        try small().save(to: folder.path)
        let url = URL(filePath: folder.path + "/tokenizer.json")
        var bytes = Array(try Data(contentsOf: url))
        var random = SplitMix64(seed: seed)
        for _ in 0..<3 {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        if seed % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
        try Data(bytes).write(to: url)
        do {
            let tokenizer = try Tokenizer.load(url.path)
            #expect(tokenizer.decode(tokenizer.encode("the cat")).utf8.count < 100)
        } catch {
            #expect(!error.description.isEmpty, "seed \(seed)")
        }
    }
}
