public import Wire

/// Which of SelFee's procedures makes the chain.
public enum AugmentationProcedure: WireEnum {
    case unspecified, alpaca, sharegpt, flan
    case unknown(UInt64)
    public static let wireName = "hone.augmentation.AugmentationProcedure"
    public static let known: [Self] = [.unspecified, .alpaca, .sharegpt, .flan]
    public var unknownNumber: UInt64? {
        if case .unknown(let number) = self { number } else { nil }
    }
}

/// Asks for chains.
public struct AugmentationRequest: WireMessage {
    public static let wireName = "hone.augmentation.AugmentationRequest"
    public var key = ""
    public var dataset = DatasetReference()
    public var outputName = ""
    public var procedure = AugmentationProcedure.unspecified
    public var mode = ChainMode.strict
    public var endpoint = ChatEndpoint()
    public var limit = 0
    public var concurrency = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "key", &key)
        coder.message(2, "dataset", &dataset)
        coder.string(3, "outputName", &outputName)
        coder.enumeration(4, "procedure", &procedure)
        coder.enumeration(5, "mode", &mode)
        coder.message(6, "endpoint", &endpoint)
        coder.uint(7, "limit", &limit)
        coder.uint(8, "concurrency", &concurrency)
    }
}

/// Asks for a look at what a job would make.
public struct PreviewRequest: WireMessage {
    public static let wireName = "hone.augmentation.PreviewRequest"
    public var request = AugmentationRequest()
    public var count = 0

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.message(1, "request", &request)
        coder.uint(2, "count", &count)
    }
}

/// What a job would make.
public struct PreviewReply: WireMessage {
    public static let wireName = "hone.augmentation.PreviewReply"
    public var records: [String] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "records", &records)
    }
}
