import HTTP2
import Testing

struct HeaderListTests {
    @Test func `fields keep their order and are found by name`() {
        var list = HeaderList([("a", "1"), ("bb", ""), ("a", "2")])
        list.append(contentsOf: HeaderList([("c", "3")]))
        #expect(list.pairs.map(\.name) == ["a", "bb", "a", "c"])
        #expect(list.pairs.map(\.value) == ["1", "", "2", "3"])
        #expect(list.first("a") == "1")
        #expect(list.first("c") == "3")
        #expect(list.first("d") == nil)
        #expect(list.listBytes == 8 + 4 * 32)
    }
}
