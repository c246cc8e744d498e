import Wire

/// `grpc.health.v1.Health`, the standard probe, with its two protobuf messages coded by hand.
///
/// - Source: gRPC, doc/health-checking.md.
enum HealthService {
    static let check = Method<HealthCheckRequest, HealthCheckResponse>(
        service: "grpc.health.v1.Health", name: "Check", kind: .unary, idempotent: true)
    static let watch = Method<HealthCheckRequest, HealthCheckResponse>(
        service: "grpc.health.v1.Health", name: "Watch", kind: .serverStreaming)

    static func register(_ health: Health, in router: inout Router) {
        router.unary(check) { request, _ in
            guard let status = health.status(of: request.service) else {
                throw Status(.notFound, "the server knows no service \"\(request.service)\"")
            }
            return HealthCheckResponse(status)
        }
        router.serverStreaming(watch) { request, responses, _ in
            let (updates, number) = health.watch(request.service)
            defer { health.stopWatching(number) }
            var last: Health.ServingStatus?
            for await status in updates where status != last {
                last = status
                try await responses.write(HealthCheckResponse(status))
            }
        }
    }
}

/// protobuf: `string service = 1`.
struct HealthCheckRequest: WireMessage {
    static let wireName = "grpc.health.v1.HealthCheckRequest"
    static let maximumBytes = 4096
    var service = ""

    init() {}

    init(service: String) {
        self.service = service
    }

    mutating func code(with coder: inout WireCoder) {}

    init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            if case .bytes(let value) = field.value, field.number == 1 {
                service = String(decoding: value, as: UTF8.self)
            }
        }
    }

    func encoded() -> [UInt8] {
        guard !service.isEmpty else { return [] }
        return [0x0A] + ProtobufReader.varint(service.utf8.count) + Array(service.utf8)
    }
}

/// protobuf: `ServingStatus status = 1`.
struct HealthCheckResponse: WireMessage {
    static let wireName = "grpc.health.v1.HealthCheckResponse"
    static let maximumBytes = 4096
    var status = Health.ServingStatus.unknown

    init() {}

    init(_ status: Health.ServingStatus) {
        self.status = status
    }

    mutating func code(with coder: inout WireCoder) {}

    init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            if case .varint(let value) = field.value, field.number == 1 {
                status = Health.ServingStatus(rawValue: value) ?? .unknown
            }
        }
    }

    func encoded() -> [UInt8] {
        status == .unknown ? [] : [0x08, UInt8(status.rawValue)]
    }
}

/// As much of protobuf as the probes need: varints and runs of bytes, anything else skipped.
private struct ProtobufReader {
    enum Value {
        case varint(Int)
        case bytes(ArraySlice<UInt8>)
        case skipped
    }

    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func nextField() throws(WireError) -> (number: Int, value: Value)? {
        guard offset < bytes.count else { return nil }
        let key = try varint()
        switch key & 7 {
        case 0: return (key >> 3, .varint(try varint()))
        case 1: return (key >> 3, try skip(8))
        case 2:
            let count = try varint()
            let start = offset
            _ = try skip(count)
            return (key >> 3, .bytes(bytes[start..<offset]))
        case 5: return (key >> 3, try skip(4))
        default: throw .truncated(offset: offset)
        }
    }

    private mutating func skip(_ count: Int) throws(WireError) -> Value {
        guard count >= 0, count <= bytes.count - offset else { throw .truncated(offset: offset) }
        offset += count
        return .skipped
    }

    private mutating func varint() throws(WireError) -> Int {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard offset < bytes.count else { throw .truncated(offset: offset) }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int(truncatingIfNeeded: value) }
        }
        throw .truncated(offset: offset)
    }

    static func varint(_ value: Int) -> [UInt8] {
        var rest = UInt64(value)
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
