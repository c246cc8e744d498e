public import Wire

/// Asks for a workflow.
public struct WorkflowRequest: WireMessage {
    public static let wireName = "hone.gateway.WorkflowRequest"
    public var key = ""
    public var definition = ""
    public var parameters: [String: String] = [:]

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "key", &key)
        coder.string(2, "definition", &definition)
        coder.map(3, "parameters", &parameters)
    }
}

/// Where one step stands.
public struct StepState: WireMessage {
    public static let wireName = "hone.gateway.StepState"
    public var name = ""
    public var kind = ""
    public var status = JobStatus.unspecified
    public var startedAtMilliseconds = 0
    public var finishedAtMilliseconds = 0
    public var job = ""
    public var result = ""
    public var error = ""

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.string(1, "name", &name)
        coder.string(2, "kind", &kind)
        coder.enumeration(3, "status", &status)
        coder.uint(4, "startedAtMilliseconds", &startedAtMilliseconds)
        coder.uint(5, "finishedAtMilliseconds", &finishedAtMilliseconds)
        coder.string(6, "job", &job)
        coder.string(7, "result", &result)
        coder.string(8, "error", &error)
    }
}

/// The steps of a workflow.
public struct StepList: WireMessage {
    public static let wireName = "hone.gateway.StepList"
    public var steps: [StepState] = []

    public init() {}
    public mutating func code(with coder: inout WireCoder) {
        coder.repeated(1, "steps", &steps)
    }
}
