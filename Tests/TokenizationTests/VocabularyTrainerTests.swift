import FoundationEssentials
import TestKit
import Testing
import Tokenization

struct VocabularyTrainerTests {
    private static let texts = [
        "Add the two numbers. 12 + 34 = 46\n\n### Feedback 1:\nRevision is needed.",
        "Sort the letters: hcab\n\n### Revision 1:\nabch. Revision is not needed. It's done.",
        "Sort the letters: z y x — naïve café 北京 😀 it's 2026",
    ]

    private static func settings(
        _ method: VocabularyTrainer.Method, _ alphabet: VocabularyTrainer.Alphabet
    ) -> VocabularyTrainer.Settings {
        var settings = VocabularyTrainer.Settings()
        settings.method = method
        settings.alphabet = alphabet
        settings.maximumSize = 340
        settings.addedTokens = ["### "]
        return settings
    }

    private static func trained(_ settings: VocabularyTrainer.Settings) throws -> Tokenizer {
        var trainer = VocabularyTrainer(settings)
        for text in texts { trainer.add(text) }
        return try trainer.train()
    }

    @Test func `every text survives a round trip`() throws {
        for method in [VocabularyTrainer.Method.merges, .words(minimumCount: 2)] {
            let tokenizer = try Self.trained(Self.settings(method, .everyByte))
            for text in Self.texts + ["never seen: ЖÜ\t\t 99", "", "\u{0}\u{10FFFF}"] {
                #expect(tokenizer.decode(tokenizer.encode(text)) == text)
            }
        }
    }

    @Test func `a word seen often is one token with its space, a digit always one`() throws {
        let tokenizer = try Self.trained(Self.settings(.words(minimumCount: 2), .everyByte))
        let pieces = tokenizer.encode(" needed 42 hcab").compactMap { tokenizer.piece($0) }
        #expect(pieces == ["Ġneeded", "Ġ", "4", "2", "Ġ", "h", "c", "a", "b"])
    }

    @Test func `equal texts give equal vocabularies and a limit is kept`() throws {
        let settings = Self.settings(.merges, .seenBytes)
        let first = try Self.trained(settings)
        let second = try Self.trained(settings)
        #expect(first.vocabularySize <= 340)
        #expect((0..<340).allSatisfy { first.piece($0) == second.piece($0) })
        #expect(first.encode("\u{3A9}").contains(3))
        #expect(first.bosID == 1 && first.eosID == 2 && first.padID == 0)
        #expect(first.encode("a", special: true).first == 1)
    }

    @Test func `training without texts or without room says so`() {
        var small = VocabularyTrainer.Settings()
        small.maximumSize = 100
        #expect(throws: TokenizationError.self) { try Self.trained(small) }
        #expect(throws: TokenizationError.untrainable(cause: "no text was added")) {
            try VocabularyTrainer(VocabularyTrainer.Settings()).train()
        }
    }

    @Test(.enabled(if: Python.has("tokenizers"), "needs the Python package tokenizers"))
    func `the Hugging Face library reads what was trained and gives the same ids`() throws {
        let script = """
            import json, sys
            from tokenizers import Tokenizer
            tokenizer = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
            texts = json.load(open(sys.argv[1] + "/texts.json"))
            rows = [tokenizer.encode(text, add_special_tokens=True).ids for text in texts]
            back = [tokenizer.decode(ids) for ids in rows]
            print(json.dumps([rows, [list(text.encode()) for text in back]]))
            """
        let texts = Self.texts + ["new Words, 'S it’s  \\n\\n \\t x\u{AD}3½ ①", "### <s> a</s>"]
        for method in [VocabularyTrainer.Method.merges, .words(minimumCount: 2)] {
            for alphabet in [VocabularyTrainer.Alphabet.everyByte, .seenBytes] {
                for splitsLetters in [false, true] {
                    var settings = Self.settings(method, alphabet)
                    settings.splitsLetters = splitsLetters
                    settings.splitsDigits = !splitsLetters
                    let folder = try TemporaryFolder()
                    let tokenizer = try Self.trained(settings)
                    try tokenizer.save(to: folder.path)
                    try JSONEncoder().encode(texts)
                        .write(to: URL(filePath: folder.path + "/texts.json"))
                    let output = try Python.run(script, arguments: [folder.path])
                    let (ids, back) = try Self.parse(output)
                    #expect(ids == texts.map { tokenizer.encode($0, special: true) })
                    #expect(back == ids.map { Array(tokenizer.decode($0).utf8).map(Int32.init) })
                }
            }
        }
    }

    private static func parse(_ output: String) throws -> (ids: [[TokenID]], text: [[Int32]]) {
        let both = try JSONDecoder().decode([[[Int32]]].self, from: Data(output.utf8))
        return (both[0], both[1])
    }
}
