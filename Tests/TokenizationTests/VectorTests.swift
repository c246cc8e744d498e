import FoundationEssentials
import TestKit
import Testing
import Tokenization

@Suite(.enabled(if: SharedData.isPresent, "needs the shared tokenizer vectors"))
struct VectorTests {
    @Test(arguments: VectorSet.all)
    func `every text of the vectors has the ids that its own library gives`(
        set: VectorSet
    ) throws {
        let tokenizer = try set.tokenizer()
        // Made by a library that takes text like <|begin_of_text|> for plain text.
        let isPlain = set.vectors == "llama3"
        var failures = 0
        for row in try set.rows("encode") {
            let ids = tokenizer.encode(row.text, parsing: isPlain ? false : nil)
            if ids != row.ids {
                failures += 1
                let start = zip(ids, row.ids).prefix { $0 == $1 }.count
                Issue.record(
                    """
                    \(row.text.debugDescription.prefix(200)) from token \(start): \
                    \(ids.dropFirst(start).prefix(8)) is not \(row.ids.dropFirst(start).prefix(8))
                    """)
            }
            if failures == 5 { break }
        }
    }

    @Test(arguments: VectorSet.all)
    func `every sequence of the vectors has the text that its own library gives`(
        set: VectorSet
    ) throws {
        let tokenizer = try set.tokenizer()
        // These were made with the special tokens left in.
        let skips = set.vectors != "llama-hf"
        for row in try set.rows("decode") {
            let text = tokenizer.decode(row.ids, skippingSpecial: skips)
            #expect(Array(text.utf8) == Array(row.text.utf8), "\(row.ids)")
            // A run of bytes that is no text is judged as a whole by one library only.
            guard skips || !row.text.unicodeScalars.contains("\u{FFFD}") else { continue }
            var decoder = tokenizer.streamingDecoder(skippingSpecial: skips)
            let streamed = row.ids.map { decoder.append($0) }.joined() + decoder.finish()
            #expect(Array(streamed.utf8) == Array(row.text.utf8), "\(row.ids) as a stream")
        }
    }

    @Test(
        arguments: [
            ("ggml-vocab-gpt-2", "gpt2/tokenizer.json"),
            ("ggml-vocab-llama-spm", "llama/tokenizer.model"),
        ])
    func `the vocabulary tests of llama.cpp give their ids`(name: String, file: String) throws {
        let tokenizer = try VectorSet(file: file, vectors: "").tokenizer()
        let folder = "data/tokenizers/llama.cpp/\(name).gguf"
        let texts = try String(
            decoding: Data(contentsOf: SharedData.file(folder + ".inp")), as: UTF8.self
        )
        .split(separator: "\n__ggml_vocab_test__\n", omittingEmptySubsequences: false)
        let lines = try String(
            decoding: Data(contentsOf: SharedData.file(folder + ".out")), as: UTF8.self
        )
        .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(texts.count >= 46)
        for (text, line) in zip(texts, lines) {
            let ids = line.split(separator: " ").compactMap { TokenID($0) }
            #expect(tokenizer.encode(String(text)) == ids, "\(text.debugDescription)")
        }
    }
}
