import HTTP2
import RPC

/// The properties of gRPC's codecs.
enum CodecFuzz {
    static func base64(_ data: [UInt8]) throws {
        if let bytes = Base64.decode(data) {
            try require(bytes.count <= data.count, "base64 grew")
            let again = Base64.decode(Array(Base64.encode(bytes).utf8))
            try require(again == bytes, "base64 of \(bytes) came back as \(again ?? [])")
        }
        let text = Base64.encode(data)
        try require(Base64.decode(Array(text.utf8)) == data, "base64 lost \(data)")
    }

    static func percentEncoding(_ data: [UInt8]) throws {
        _ = PercentEncoding.decode(data[...])
        let text = String(decoding: data, as: UTF8.self)
        let encoded = PercentEncoding.encode(text)
        try require(
            encoded.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(encoded) is not ASCII")
        let decoded = PercentEncoding.decode(Array(encoded.utf8)[...])
        try require(decoded == text, "percent encoding lost \(data)")
    }

    static func timeouts(_ data: [UInt8]) throws {
        guard let timeout = TimeoutCodec.decode(data[...]) else { return }
        try require(timeout >= .zero, "\(timeout) is negative")
        try require(timeout <= .seconds(11 * 365 * 86_400), "\(timeout) is too long")
        let text = TimeoutCodec.encode(timeout)
        try require((2...9).contains(text.utf8.count), "\(text) has no nine letters")
        let again = TimeoutCodec.decode(Array(text.utf8)[...])
        try require(again.map { $0 >= timeout } == true, "\(timeout) became shorter in \(text)")
    }

    /// Bytes cut anywhere give the same messages and the same fault.
    static func messages(_ source: inout ByteSource) throws {
        let limit = 1 << Int(source.byte() % 24)
        var pieces: [[UInt8]] = []
        while !source.isEmpty { pieces.append(source.bytes(1 + Int(source.byte() % 40))) }
        let whole = pieces.flatMap { $0 }
        let cut = CodecProbe.messages(in: pieces, limit: limit)
        let uncut = CodecProbe.messages(in: [whole], limit: limit)
        try require(cut.messages == uncut.messages, "cut otherwise, \(whole) differs")
        try require(cut.fault == uncut.fault, "cut otherwise, \(whole) fails otherwise")
        try require(
            cut.isBetweenMessages == uncut.isBetweenMessages, "cut otherwise, the end differs")
        let sum = cut.messages.reduce(0) { $0 + $1.count + 5 }
        try require(sum <= whole.count, "\(whole.count) bytes became \(sum)")
        try require(cut.messages.allSatisfy { $0.count <= limit }, "a message exceeds its limit")
    }

    /// Metadata and a status that were read are the same once written and read again.
    static func headers(_ source: inout ByteSource) throws {
        let names = [
            "grpc-status", "grpc-message", "x-a", "x-b-bin", "content-type", ":status", "te",
            "grpc-status-details-bin", "grpc-timeout", "",
        ]
        var list = HeaderList()
        while !source.isEmpty {
            let choice = Int(source.byte() % 12)
            let name =
                choice < names.count
                ? names[choice] : String(decoding: source.bytes(6), as: UTF8.self)
            let value = source.bytes(Int(source.byte() % 32))
            list.append(name, String(decoding: value, as: UTF8.self))
        }
        let metadata = CodecProbe.metadata(of: list)
        let status = CodecProbe.status(of: list) ?? Status(.ok, "")
        let written = CodecProbe.trailers(status, metadata)
        let again = CodecProbe.metadata(of: written)
        try require(again == metadata, "\(metadata) came back as \(again)")
        let read = CodecProbe.status(of: written)
        try require(read?.code == status.code, "\(status) came back as \(String(describing: read))")
        if status.message.count <= 2000 {
            try require(read?.message == status.message, "the message of \(status) was lost")
        }
    }
}
