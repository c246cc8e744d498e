import HTTP2

/// What a caller is told where the peer did not send a status of gRPC.
enum StatusMapping {
    /// - Source: gRPC, doc/http-grpc-status-mapping.md.
    static func code(ofHTTP status: Int) -> Status.Code {
        switch status {
        case 400: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// - Source: gRPC, doc/PROTOCOL-HTTP2.md, "Errors".
    static func code(of error: ErrorCode) -> Status.Code {
        switch error {
        case .refusedStream: .unavailable
        case .cancel: .cancelled
        case .enhanceYourCalm: .resourceExhausted
        case .inadequateSecurity: .permissionDenied
        default: .internal
        }
    }

    static func status(ofReset error: ErrorCode) -> Status {
        Status(code(of: error), "the server reset the call without a status (\(error))")
    }
}
