public import Wire

/// Asks what a server answers.
public struct DescribeRequest: WireMessage {
    public static let wireName = "hone.admin.DescribeRequest"
    public var service = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "service", &service)
    }
}

/// What a server answers.
public struct Description: WireMessage {
    public static let wireName = "hone.admin.Description"
    public var paths: [String] = []
    public var schemas: [SchemaSource] = []
    public var hash = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "paths", &paths)
        coder.repeated(2, "schemas", &schemas)
        coder.string(3, "hash", &hash)
    }
}

/// One schema's text.
public struct SchemaSource: WireMessage {
    public static let wireName = "hone.admin.SchemaSource"
    public var package = ""
    public var text = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "package", &package)
        coder.string(2, "text", &text)
    }
}

/// Asks for all numbers.
public struct MetricsRequest: WireMessage {
    public static let wireName = "hone.admin.MetricsRequest"

    public init() {}
    public mutating func code(with coder: inout WireCoder) {}
}

/// The numbers of a process.
public struct MetricsReply: WireMessage {
    public static let wireName = "hone.admin.MetricsReply"
    public static let maximumBytes = 16 << 20
    public var text = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "text", &text)
    }
}
