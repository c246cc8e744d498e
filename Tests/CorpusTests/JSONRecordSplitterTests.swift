import Corpus
import Testing

@Suite struct JSONRecordSplitterTests {
    /// Every way to cut the text into pieces of one size gives the same records.
    private func records(of text: String, piece: Int) throws -> [String] {
        var splitter = JSONRecordSplitter()
        var found: [JSONRecordSplitter.Record] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            found += try splitter.push(bytes[start..<min(start + piece, bytes.count)])
        }
        if let last = try splitter.finish() { found.append(last) }
        return found.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `lines are cut at newlines, the last with or without one`(piece: Int) throws {
        #expect(
            try records(of: "{\"a\":1}\n\n  {\"b\":2}\r\n", piece: piece) == [
                "{\"a\":1}", "  {\"b\":2}\r",
            ])
        #expect(try records(of: "\u{FEFF}1\n2", piece: piece) == ["1", "2"])
        #expect(try records(of: "", piece: piece) == [])
    }

    @Test(arguments: [1, 3, 1000])
    func `an array is cut at its commas`(piece: Int) throws {
        let text = " [\n {\"a\": \"],\\\"\", \"b\": [1, {\"c\": 2}]}, 3 ,\"x,y\"\n]\n"
        #expect(
            try records(of: text, piece: piece)
                == ["{\"a\": \"],\\\"\", \"b\": [1, {\"c\": 2}]}", "3 ", "\"x,y\"\n"])
        #expect(try records(of: "[]", piece: piece) == [])
    }

    @Test(arguments: ["[1", "[1,]", "[,1]", "[1] 2", "[\"a", "["])
    func `a broken array is refused`(text: String) {
        #expect(throws: JSONError.self) { try records(of: text, piece: 1) }
    }

    @Test func `an error in a record says its place in the stream`() throws {
        var splitter = JSONRecordSplitter()
        let found = try splitter.push(Array("{}\n{}\n{\"a\":x}\n".utf8))
        #expect {
            try found[2].parse()
        } throws: { error in
            (error as? JSONError)?.offset == 11 && (error as? JSONError)?.line == 3
        }
    }

    @Test func `a record beyond the limit is refused`() {
        var splitter = JSONRecordSplitter(maximumRecordBytes: 10)
        #expect(throws: JSONError(cause: .tooLong(limit: 10), offset: 10, line: 1)) {
            try splitter.push(repeatElement(UInt8(ascii: "7"), count: 11))
        }
    }
}
