import HTTP2

/// The frames of a peer that speaks gRPC, most of them valid, made of a source's bytes.
struct CallFrames {
    typealias Field = (name: String, value: [UInt8])

    /// Whose frames they are.
    let role: Session.Role
    private var newest: UInt8 = 0
    private static let paths = ["Same", "Sum", "Many", "Each", "Never", "None"]

    init(_ role: Session.Role) {
        self.role = role
    }

    /// What a peer says first.
    var opening: [UInt8] {
        (role == .client ? Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) : [])
            + Self.frame(4, 0, 0, []) + Self.frame(4, 1, 0, [])
    }

    mutating func next(_ source: inout ByteSource) -> [UInt8] {
        let choice = source.byte()
        // Frames of streams that never began would end the connection.
        if role == .client, newest == 0, choice % 32 != 13 { return request(&source) }
        switch choice % 16 {
        case 0, 1: return role == .client ? request(&source) : answer(&source)
        case 2: return role == .client ? request(&source) : wholeAnswer(&source)
        case 3, 4, 5: return message(&source, stream(choice, &source), flags: choice >> 7)
        case 6: return Self.frame(0, 1, stream(choice, &source), [])
        case 7 where role == .client: return message(&source, newest, flags: 1)
        case 7: return trailers(&source)
        case 8: return Self.frame(3, 0, stream(choice, &source), [0, 0, 0, source.byte() % 16])
        case 9:
            let stream = choice & 0x80 == 0 ? stream(choice, &source) : 0
            return Self.frame(8, 0, stream, [0, 0, source.byte(), source.byte()])
        case 10:
            // How many streams, the window of each, the largest frame, the table of headers.
            let setting = [3, 4, 5, 1][Int(choice >> 6)]
            return Self.frame(4, 0, 0, [0, UInt8(setting), 0, 0, source.byte(), source.byte()])
        case 11: return Self.frame(6, choice >> 7, 0, [0, 0, 0, 0, 0, 0, 0, source.byte()])
        case 12:
            let fields = [0, 0, 0, source.byte() % 16, 0, 0, 0, source.byte() % 16]
            return Self.frame(7, 0, 0, fields.map { UInt8($0) })
        case 13:
            return Self.frame(
                source.byte() % 12, source.byte(), stream(choice, &source),
                source.bytes(Int(source.byte() % 64)))
        case 14 where choice < 64: return source.bytes(1 + Int(source.byte() % 32))
        default:
            let id = stream(choice, &source)
            let begun = [0, 0, 0, 200 as UInt8] + source.bytes(Int(source.byte() % 40))
            return Self.frame(0, 0, id, [choice >> 7] + begun)
        }
    }

    /// A stream of a call: the newest, or one of those before.
    private func stream(_ choice: UInt8, _ source: inout ByteSource) -> UInt8 {
        if role == .client, choice & 0x10 == 0 { return newest }
        return 2 * (source.byte() % (role == .client ? newest / 2 + 1 : 4)) + 1
    }

    private mutating func request(_ source: inout ByteSource) -> [UInt8] {
        newest = newest > 250 ? 1 : newest &+ (newest == 0 ? 1 : 2)
        let choice = source.byte()
        let path = "/hone.fuzz.Calls/" + Self.paths[Int(choice) % Self.paths.count]
        var fields: [Field] = [
            (":method", Array("POST".utf8)), (":scheme", Array("http".utf8)),
            (":path", Array(path.utf8)), (":authority", [0x78]), ("te", Array("trailers".utf8)),
            ("content-type", Array("application/grpc".utf8)),
        ]
        if choice & 0x40 != 0 {
            let values = ["1n", "1m", "1H", "x"]
            fields.append(("grpc-timeout", Array(values[Int(source.byte() % 4)].utf8)))
        }
        if choice & 0x20 != 0 {
            fields.append(("grpc-encoding", Array("gzip".utf8)))
            fields.append(("grpc-accept-encoding", Array("gzip".utf8)))
        }
        if choice & 0x80 != 0 { fields.append(("x-more", source.bytes(Int(source.byte() % 64)))) }
        let flags: UInt8 = choice % 31 == 0 ? 5 : 4
        return Self.frame(1, flags, newest, Self.block(fields))
            + (choice % 8 == 7 ? [] : message(&source, newest, flags: choice >> 3 & 1))
    }

    private func wholeAnswer(_ source: inout ByteSource) -> [UInt8] {
        let id = stream(0, &source)
        let fields: [Field] = [
            (":status", Array("200".utf8)), ("content-type", Array("application/grpc".utf8)),
        ]
        return Self.frame(1, 4, id, Self.block(fields)) + message(&source, id, flags: 0)
            + Self.frame(1, 5, id, Self.block(ending(&source)))
    }

    private func answer(_ source: inout ByteSource) -> [UInt8] {
        let choice = source.byte()
        let status = choice % 16 == 0 ? "\(100 + 7 * Int(source.byte()))" : "200"
        var fields: [Field] = [
            (":status", Array(status.utf8)), ("content-type", Array("application/grpc".utf8)),
        ]
        if choice & 0x20 != 0 { fields.append(("grpc-encoding", Array("gzip".utf8))) }
        if choice & 0x40 != 0 { fields.append(("x-more", source.bytes(Int(source.byte() % 64)))) }
        if choice & 0x80 != 0 { fields += ending(&source) }
        return Self.frame(1, choice & 0x80 == 0 ? 4 : 5, stream(0, &source), Self.block(fields))
    }

    private func trailers(_ source: inout ByteSource) -> [UInt8] {
        let id = stream(0, &source)
        return Self.frame(1, 5, id, Self.block(ending(&source)))
    }

    /// A status, and what may come with it.
    private func ending(_ source: inout ByteSource) -> [Field] {
        let choice = source.byte()
        var fields: [Field] = [("grpc-status", Array("\(choice % 3 == 0 ? 0 : choice % 18)".utf8))]
        if choice & 0x20 != 0 {
            let texts = ["0", "5", "-1", "86400000", "99999999999999999999"]
            fields.append(("grpc-retry-pushback-ms", Array(texts[Int(source.byte() % 5)].utf8)))
        }
        if choice & 0x40 != 0 { fields.append(("grpc-message", Array("50%25".utf8))) }
        if choice & 0x80 != 0 {
            fields.append(("grpc-status-details-bin", source.bytes(Int(source.byte() % 48))))
        }
        return fields
    }

    /// A message of up to 32 KiB, which its bytes merely begin.
    private func message(
        _ source: inout ByteSource, _ stream: UInt8, flags: UInt8
    ) -> [UInt8] {
        let choice = source.byte()
        var body = source.bytes(Int(source.byte() % 32))
        if choice & 0x80 != 0 {
            body += [UInt8](repeating: choice, count: Int(choice & 0x1F) << 10)
        }
        let length = body.count + (choice & 0x60 == 0x60 ? 1 : 0)
        let prefix = [
            choice & 0x70 == 0x50 ? 1 : 0, 0, 0, UInt8(length >> 8 & 255), UInt8(length & 255),
        ]
        return Self.frame(0, flags, stream, prefix + body)
    }

    static func frame(
        _ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]
    ) -> [UInt8] {
        let count = payload.count
        return [0, UInt8(count >> 8 & 255), UInt8(count & 255), type, flags, 0, 0, 0, stream]
            + payload
    }

    /// Literals without indexing.
    ///
    /// - Source: RFC 7541, section 6.2.2.
    private static func block(_ fields: [Field]) -> [UInt8] {
        fields.flatMap { field in
            let name = Array(field.name.utf8)
            // A length takes one byte below 127.
            let value = field.value.prefix(126)
            return [0, UInt8(name.count)] + name + [UInt8(value.count)] + value
        }
    }
}
