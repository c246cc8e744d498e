package import RPC

/// What the gateway itself finds wrong: with its settings, with a workflow, with a step.
package enum GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
    case noKeys(path: String)
    case badDefinition(reason: String)
    case missingParameter(name: String)
    case unknownParameter(name: String, known: [String])
    case unknownReference(text: String, step: String)
    case badStep(step: String, reason: String)
    case cannotListen(address: String)
    case otherWorkflow(key: String, difference: String)
    case jobFailed(step: String, job: String, reason: String)

    package var description: String {
        switch self {
        case .noKeys(let path):
            "\(path) holds no API key; write one a line, or leave --api-keys-file out"
        case .badDefinition(let reason):
            "the workflow cannot be read: \(reason)"
        case .missingParameter(let name):
            "the workflow's parameter \"\(name)\" has no value; give --set \(name)=VALUE"
        case .unknownParameter(let name, let known):
            "the workflow has no parameter \"\(name)\"; it has \(known)"
        case .unknownReference(let text, let step):
            "step \"\(step)\" refers to ${\(text)}, which no parameter and no earlier step gives"
        case .badStep(let step, let reason):
            "step \"\(step)\": \(reason)"
        case .cannotListen(let address):
            "HTTP cannot be served at \(address); is another server there?"
        case .otherWorkflow(let key, let difference):
            "the key \"\(key)\" names a workflow with \(difference); give this one a key of its own"
        case .jobFailed(let step, let job, let reason):
            "step \"\(step)\": job \(job) ended without a result: \(reason)"
        }
    }
}

extension GatewayError: StatusConvertible {
    package var status: Status {
        switch self {
        case .cannotListen: Status(.unavailable, description)
        case .otherWorkflow: Status(.alreadyExists, description)
        case .jobFailed: Status(.aborted, description)
        default: Status(.invalidArgument, description)
        }
    }
}
