import NIOCore
import NIOEmbedded
import TLS
import TestKit
import Testing

/// Two handlers whose bytes are carried by hand.
struct TLSHandlerTests {
    /// Notes what comes through the pipeline.
    final class Sink: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var isActive = false
        var bytes: [UInt8] = []
        var errors: [TLSError] = []

        func channelActive(context: ChannelHandlerContext) { isActive = true }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(buffer: unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { errors.append(error) }
        }
    }

    final class Side {
        let channel: EmbeddedChannel
        let sink = Sink()
        let handler: TLSHandler

        init(_ context: TLSContext, serverName: String? = nil) throws {
            handler = try TLSHandler(context, serverName: serverName)
            channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandlers([handler, sink])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func takeOutput() throws -> [ByteBuffer] {
            var all: [ByteBuffer] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { all.append(buffer) }
            return all
        }

        func give(_ buffers: [ByteBuffer]) throws {
            for buffer in buffers where channel.isActive { _ = try channel.writeInbound(buffer) }
        }
    }

    private func exchange(_ client: Side, _ server: Side) throws {
        while true {
            let toServer = try client.takeOutput()
            try server.give(toServer)
            let toClient = try server.takeOutput()
            try client.give(toClient)
            if toServer.isEmpty, toClient.isEmpty { return }
        }
    }

    private func pair(
        _ files: Certificates, server: String = "server", mutual: Bool = false,
        client: String? = nil, name: String = "127.0.0.1", trusted: String = "authority"
    ) throws -> (client: Side, server: Side) {
        let serverSide = try Side(
            TLSContext(
                .server, files.settings(server, authority: mutual ? "authority" : nil)))
        let clientSide = try Side(
            TLSContext(.client, files.settings(client, authority: trusted)), serverName: name)
        try exchange(clientSide, serverSide)
        return (clientSide, serverSide)
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `bytes pass both ways once names agree`(name: String) throws {
        let (client, server) = try pair(try Certificates(), name: name)
        #expect(client.sink.isActive && server.sink.isActive)
        let message = [UInt8](repeating: 42, count: 100_000)
        client.channel.writeAndFlush(ByteBuffer(bytes: message), promise: nil)
        server.channel.writeAndFlush(ByteBuffer(bytes: [7]), promise: nil)
        try exchange(client, server)
        #expect(server.sink.bytes == message)
        #expect(client.sink.bytes == [7])
        #expect(server.handler.peerIdentity == nil)
    }

    @Test func `a mutual connection knows who called`() throws {
        let (client, server) = try pair(try Certificates(), mutual: true, client: "client")
        #expect(client.sink.isActive && server.sink.isActive)
        #expect(server.handler.peerIdentity == "CN=alice")
        #expect(client.handler.peerIdentity == "CN=server.test")
    }

    @Test(arguments: [nil, "stranger"])
    func `a missing or foreign client certificate is refused`(client: String?) throws {
        let (clientSide, serverSide) = try pair(
            try Certificates(), mutual: true, client: client)
        #expect(!serverSide.sink.isActive)
        #expect(serverSide.sink.errors.count == 1)
        #expect(clientSide.sink.errors.count == 1)
        #expect(clientSide.sink.errors.first?.description.contains("alert") == true)
    }

    @Test func `a server of another name is refused`() throws {
        let (client, _) = try pair(try Certificates(), server: "elsewhere", name: "localhost")
        #expect(!client.sink.isActive)
        #expect(client.sink.errors.first?.description.contains("ostname mismatch") == true)
        let (address, _) = try pair(try Certificates(), server: "elsewhere")
        #expect(address.sink.errors.first?.description.contains("IP address mismatch") == true)
    }

    @Test func `a server of another authority is refused`() throws {
        let (client, server) = try pair(try Certificates(), trusted: "stranger-authority")
        #expect(!client.sink.isActive && !server.sink.isActive)
        #expect(client.sink.errors.first?.description.contains("certificate verify failed") == true)
    }

    @Test func `HTTP/1.1 is agreed on, and what is written early is sent after the handshake`()
        throws
    {
        let files = try Certificates()
        let server = try Side(
            TLSContext(.server, files.settings("server", authority: nil), carrying: .http1))
        let client = try Side(
            TLSContext(.client, files.settings(nil, authority: "authority"), carrying: .http1),
            serverName: "127.0.0.1")
        client.channel.writeAndFlush(ByteBuffer(bytes: [1, 2]), promise: nil)
        client.channel.writeAndFlush(ByteBuffer(bytes: [3]), promise: nil)
        try exchange(client, server)
        #expect(client.sink.isActive && server.sink.isActive)
        #expect(server.sink.bytes == [1, 2, 3])
        let other = try Side(
            TLSContext(.client, files.settings(nil, authority: "authority")),
            serverName: "127.0.0.1")
        let again = try Side(
            TLSContext(.server, files.settings("server", authority: nil), carrying: .http1))
        try exchange(other, again)
        #expect(!other.sink.isActive && !again.sink.isActive)
    }

    @Test func `a write of nothing is kept like any other`() throws {
        let (client, server) = try pair(try Certificates())
        let promise = client.channel.eventLoop.makePromise(of: Void.self)
        client.channel.writeAndFlush(ByteBuffer(), promise: promise)
        try exchange(client, server)
        try promise.futureResult.wait()
    }

    @Test func `nothing is kept of what a peer sends after its goodbye`() throws {
        let (client, server) = try pair(try Certificates())
        client.channel.close(promise: nil)
        let goodbye = try client.takeOutput()
        #expect(!goodbye.isEmpty)
        // Behind the alert, in the same bytes.
        var bytes = try #require(goodbye.last)
        bytes.writeRepeatingByte(0x5A, count: 100_000)
        try server.give(goodbye.dropLast() + [bytes])
        #expect(!server.channel.isActive)
        #expect(server.sink.bytes.isEmpty && server.sink.errors.isEmpty)
    }

    @Test func `a peer without TLS is refused`() throws {
        let files = try Certificates()
        let server = try Side(TLSContext(.server, files.settings("server", authority: nil)))
        try server.give([ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")])
        #expect(!server.sink.isActive)
        #expect(server.sink.errors.count == 1)
    }

    @Test func `keys change while data passes`() throws {
        let (client, server) = try pair(try Certificates())
        for round in 0..<20 as Range<UInt8> {
            let side = round % 2 == 0 ? client : server
            side.channel.triggerUserOutboundEvent(TLSHandler.KeyUpdate(), promise: nil)
            client.channel.writeAndFlush(ByteBuffer(bytes: [round]), promise: nil)
            server.channel.writeAndFlush(ByteBuffer(bytes: [round]), promise: nil)
            try exchange(client, server)
        }
        #expect(server.sink.bytes == Array(0..<20) && client.sink.bytes == Array(0..<20))
        #expect(server.sink.errors.isEmpty && client.sink.errors.isEmpty)
    }

    @Test func `a peer that changes its keys without end is left`() throws {
        let (client, server) = try pair(try Certificates())
        for _ in 0..<1000 {
            client.channel.triggerUserOutboundEvent(TLSHandler.KeyUpdate(), promise: nil)
        }
        let updates = try client.takeOutput()
        #expect(updates.count == 1000)
        try server.give(updates)
        #expect(server.sink.errors == [.flooded])
        #expect(!server.channel.isActive)
        // It has said little in return.
        let answer = try server.takeOutput().reduce(0) { $0 + $1.readableBytes }
        #expect(answer < 4000, "\(answer) bytes")
    }

    @Test func `keys do not change before a connection is open`() throws {
        let files = try Certificates()
        let client = try Side(
            TLSContext(.client, files.settings(nil, authority: "authority")), serverName: "x")
        #expect(throws: TLSError.keysNotUpdated(reason: "not connected")) {
            try client.channel.triggerUserOutboundEvent(TLSHandler.KeyUpdate()).wait()
        }
    }
}
