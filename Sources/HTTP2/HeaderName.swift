import Glibc

/// The header names that gRPC's layer reads, told apart once, when a field arrives.
public enum HeaderName: UInt8, Sendable {
    case other
    case method, scheme, path, authority, status
    case contentType, te, userAgent
    case grpcTimeout, grpcStatus, grpcMessage, grpcEncoding, grpcAcceptEncoding

    /// Which of them these bytes are.
    static func of(_ name: UnsafeBufferPointer<UInt8>) -> HeaderName {
        switch name.count {
        case 2: unsafe name.isText("te") ? .te : .other
        case 5: unsafe name.isText(":path") ? .path : .other
        case 7: unsafe pseudo(name)
        case 10:
            unsafe name.isText(":authority")
                ? .authority : name.isText("user-agent") ? .userAgent : .other
        case 11: unsafe name.isText("grpc-status") ? .grpcStatus : .other
        case 12:
            unsafe name.isText("content-type")
                ? .contentType
                : name.isText("grpc-timeout")
                    ? .grpcTimeout : name.isText("grpc-message") ? .grpcMessage : .other
        case 13: unsafe name.isText("grpc-encoding") ? .grpcEncoding : .other
        case 20: unsafe name.isText("grpc-accept-encoding") ? .grpcAcceptEncoding : .other
        default: .other
        }
    }

    private static func pseudo(_ name: UnsafeBufferPointer<UInt8>) -> HeaderName {
        if unsafe name.isText(":method") { return .method }
        if unsafe name.isText(":scheme") { return .scheme }
        return unsafe name.isText(":status") ? .status : .other
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether these are the bytes of a text of the same length.
    fileprivate func isText(_ text: StaticString) -> Bool {
        guard let base = baseAddress else { return false }
        return unsafe memcmp(base, text.utf8Start, count) == 0
    }
}
