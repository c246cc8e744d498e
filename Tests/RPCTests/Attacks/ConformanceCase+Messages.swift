extension ConformanceCase {
    private static let ends = Frame.endStream | Frame.endHeaders

    /// A request with one header list, which is its whole fault.
    private static func faulty(
        _ section: String, _ name: String, _ block: [UInt8]
    ) -> ConformanceCase {
        ConformanceCase(
            section, name, Frame.headers(1, block, ends), .streamError(1, [protocolError]))
    }

    // MARK: Sections 8.1 and 8.2

    static let messages = [
        ConformanceCase(
            "8.1", "a second header block without END_STREAM",
            Frame.headers(1, HPACK.request()) + Frame.headers(1, HPACK.block([("a", "b")])),
            .streamError(1, [protocolError])),
        ConformanceCase(
            "8.1", "pseudo-headers in trailers",
            Frame.headers(1, HPACK.request("/test.Echo/Collect"))
                + Frame.headers(1, HPACK.block([(":path", "/")]), ends),
            .streamError(1, [protocolError])),
        ConformanceCase(
            "8.1", "trailers of a request",
            Frame.headers(1, HPACK.request()) + Frame.data(1, Frame.prefixed([7]))
                + Frame.headers(1, HPACK.block([("x-end", "1")]), ends),
            .answered(1, "200")),
        ConformanceCase(
            "8.1.1", "more DATA than content-length",
            Frame.headers(1, HPACK.request("/test.Echo/Unary", [("content-length", "1")]))
                + Frame.data(1, Frame.prefixed([1, 2, 3]), Frame.endStream),
            .streamError(1, [protocolError])),
        ConformanceCase(
            "8.1.1", "less DATA than content-length",
            Frame.headers(1, HPACK.request("/test.Echo/Unary", [("content-length", "100")]))
                + Frame.data(1, Frame.prefixed([1, 2, 3]), Frame.endStream),
            .streamError(1, [protocolError])),
        faulty(
            "8.1.1", "content-length twice",
            HPACK.request("/test.Echo/Unary", [("content-length", "0"), ("content-length", "0")])),
        faulty(
            "8.1.1", "content-length that is no number",
            HPACK.request("/test.Echo/Unary", [("content-length", "-1")])),
        faulty(
            "8.2.1", "an upper-case name", HPACK.request("/test.Echo/Unary", [("X-Upper", "1")])),
        faulty("8.2.1", "a name with a space", HPACK.request("/test.Echo/Unary", [("x y", "1")])),
        faulty("8.2.1", "an empty name", HPACK.request("/test.Echo/Unary", [("", "1")])),
        ConformanceCase(
            "8.2.1", "a value with a line break is dropped or refused",
            Frame.headers(1, HPACK.request("/test.Echo/None", [("x-a", "b\r\nc: d")]), ends),
            .streamError(1, [protocolError])),
        ConformanceCase(
            "8.2.1", "a value with a zero byte is dropped or refused",
            Frame.headers(1, HPACK.request("/test.Echo/None", [("x-a", "b\0c")]), ends),
            .streamError(1, [protocolError])),
        faulty(
            "8.2.2", "connection: keep-alive",
            HPACK.request("/test.Echo/Unary", [("connection", "keep-alive")])),
        faulty(
            "8.2.2", "transfer-encoding: chunked",
            HPACK.request("/test.Echo/Unary", [("transfer-encoding", "chunked")])),
        faulty("8.2.2", "upgrade: h2c", HPACK.request("/test.Echo/Unary", [("upgrade", "h2c")])),
        faulty("8.2.2", "te: gzip", HPACK.request(without: "te", [("te", "gzip")])),
    ]

    // MARK: Section 8.3

    static let pseudo = [
        faulty(
            "8.3", "an unknown pseudo-header", HPACK.request(without: "", ahead: [(":test", "1")])),
        faulty(
            "8.3", "a response's pseudo-header",
            HPACK.request(without: "", ahead: [(":status", "200")])),
        faulty(
            "8.3", "a pseudo-header after the others",
            HPACK.request(without: ":path", [(":path", "/")])),
        faulty("8.3.1", "no :method", HPACK.request(without: ":method")),
        faulty("8.3.1", "no :scheme", HPACK.request(without: ":scheme")),
        faulty("8.3.1", "no :path", HPACK.request(without: ":path")),
        faulty("8.3.1", "an empty :path", HPACK.request(without: ":path", ahead: [(":path", "")])),
        faulty("8.3.1", ":method twice", HPACK.request(without: "", ahead: [(":method", "GET")])),
        faulty("8.3.1", ":scheme twice", HPACK.request(without: "", ahead: [(":scheme", "http")])),
        faulty("8.3.1", ":path twice", HPACK.request(without: "", ahead: [(":path", "/")])),
        ConformanceCase(
            "8.3.1", "GET",
            Frame.headers(1, HPACK.request(without: ":method", ahead: [(":method", "GET")]), ends),
            .answered(1, "415")),
        ConformanceCase(
            "8.3.1", "another content type",
            Frame.headers(
                1, HPACK.request(without: "content-type", [("content-type", "text/html")]), ends),
            .answered(1, "415")),
        ConformanceCase(
            "8.5", "CONNECT",
            Frame.headers(1, HPACK.block([(":method", "CONNECT"), (":authority", "x:1")])),
            .answered(1, "415")),
    ]

    // MARK: HPACK

    private static func broken(_ section: String, _ name: String, _ block: [UInt8])
        -> ConformanceCase
    {
        ConformanceCase(
            "HPACK " + section, name, Frame.headers(1, block, ends),
            .connectionError([compressionError]))
    }

    static let compression = [
        broken("2.3.3", "index 0", [0x80]),
        broken("2.3.3", "an index beyond the tables", HPACK.number(200, prefix: 7, pattern: 0x80)),
        broken("4.2", "a table size update after a field", HPACK.request() + [0x20]),
        broken(
            "4.2", "a table size above the limit", HPACK.number(1 << 20, prefix: 5, pattern: 0x20)),
        broken("5.1", "a number without end", [0xFF] + [UInt8](repeating: 0xFF, count: 16)),
        broken("5.1", "a length without its text", [0x00, 0x7F]),
        broken("5.2", "Huffman padding of more than seven bits", [0x00, 0x81, 0xFF, 0x00]),
        broken("5.2", "Huffman padding of zeros", [0x00, 0x81, 0x18, 0x00]),
        broken(
            "5.2", "the end of string symbol of Huffman",
            [0x00, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x00]),
        broken("6.2", "a literal cut short", [0x40, 0x05, 0x61]),
    ]
}
