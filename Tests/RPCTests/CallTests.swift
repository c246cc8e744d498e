import RPC
import Testing
import Wire

/// The four kinds of calls, and what travels with them.
@Suite(.timeLimit(.minutes(5)))
struct CallTests {
    @Test func `a handler may run on the event loop`() async throws {
        var configuration = ServerConfiguration()
        configuration.handlers = .eventLoop
        try await withServer(Echo.router, configuration) { client, _, _ in
            for number in 0..<100 {
                let answer = try await client.unary(Echo.unary, Bytes([UInt8(number)]))
                #expect(answer == Bytes([UInt8(number)]))
            }
            let answers = try await client.bidirectional(Echo.chat) { writer in
                for number in 0..<50 { try await writer.write(Bytes([UInt8(number)])) }
            } _: { answers in
                try await answers.reduce(into: []) { $0.append($1.bytes[0]) }
            }
            #expect(answers == (0..<50).map { UInt8($0) })
        }
    }

    @Test func `metadata refuses what HTTP cannot carry`() {
        var metadata = Metadata()
        #expect(throws: MetadataError.reservedName("grpc-timeout")) {
            try metadata.add("1S", for: "grpc-timeout")
        }
        #expect(throws: MetadataError.invalidName("a b")) { try metadata.add("", for: "a b") }
        #expect(throws: MetadataError.nameOfBytes("a-bin")) {
            try metadata.add("x", for: "a-bin")
        }
        #expect(throws: MetadataError.nameOfText("a")) { try metadata.add([1], for: "a") }
        #expect(throws: MetadataError.unprintableValue(name: "a")) {
            try metadata.add("line\nbreak", for: "a")
        }
        #expect(metadata.isEmpty)
    }
}
