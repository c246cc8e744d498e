public import Wire

/// Says nothing: the request or reply of calls that need none.
public struct Empty: WireMessage {
    public static let wireName = "hone.common.Empty"

    public init() {}
    public mutating func code(with coder: inout WireCoder) {}
}

/// Bytes known by what they are: a file in the data service.
public struct Artifact: WireMessage {
    public static let wireName = "hone.common.Artifact"
    public var hash = ""
    public var bytes = 0
    public var mediaType = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "hash", &hash)
        coder.uint(2, "bytes", &bytes)
        coder.string(3, "mediaType", &mediaType)
    }
}

/// A part of an artifact on its way, up to 1 MiB of it; parts come in order.
public struct ArtifactChunk: WireMessage {
    public static let wireName = "hone.common.ArtifactChunk"
    public var artifact: Artifact?
    public var offset = 0
    public var data: [UInt8] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "artifact", &artifact)
        coder.uint(2, "offset", &offset)
        coder.bytes(3, "data", &data)
    }
}

/// Where to reach a teacher or a judge: any service that speaks OpenAI's protocol.
public struct ChatEndpoint: WireMessage {
    public static let wireName = "hone.common.ChatEndpoint"
    public var url = ""
    public var model = ""
    public var keys: [String] = []
    public var requestsPerMinute = 0
    public var timeoutMilliseconds = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "url", &url)
        coder.string(2, "model", &model)
        coder.repeated(3, "keys", &keys)
        coder.uint(4, "requestsPerMinute", &requestsPerMinute)
        coder.uint(5, "timeoutMilliseconds", &timeoutMilliseconds)
    }
}

/// How closely the SelFee original is followed.
public enum ChainMode: WireEnum {
    case strict, selfee
    case unknown(UInt64)
    public static let wireName = "hone.common.ChainMode"
    public static let known: [Self] = [.strict, .selfee]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}
