package import Corpus
package import Schema
import Wire

/// Where one step of a running workflow stands, kept in the workflow's job.
package struct StepRecord: Sendable, Equatable {
    package enum Status: String, Sendable {
        case queued, running, succeeded, failed, cancelled
    }

    package var status = Status.queued
    /// The hash of the inputs it was begun with.
    package var inputs = ""
    package var startedAtMilliseconds = 0
    package var finishedAtMilliseconds = 0
    /// The job it waits for in another service.
    package var job = ""
    package var result: JSON = .null
    package var error = ""

    package init() {}

    package static func stateName(_ step: String) -> String { "step/" + step }

    package init(decoding bytes: [UInt8]) throws {
        let value = try JSON(parsing: bytes, limits: .python)
        status = value["status"]?.stringValue.flatMap(Status.init(rawValue:)) ?? .queued
        inputs = value["inputs"]?.stringValue ?? ""
        startedAtMilliseconds = value["startedAt"]?.intValue ?? 0
        finishedAtMilliseconds = value["finishedAt"]?.intValue ?? 0
        job = value["job"]?.stringValue ?? ""
        result = value["result"] ?? .null
        error = value["error"]?.stringValue ?? ""
    }

    package var encoded: [UInt8] {
        let value: JSON = [
            "status": .string(status.rawValue), "inputs": .string(inputs),
            "startedAt": .int(startedAtMilliseconds), "finishedAt": .int(finishedAtMilliseconds),
            "job": .string(job), "result": result, "error": .string(error),
        ]
        return value.bytes()
    }

    /// The record as the gateway's callers see it.
    package func state(name: String, kind: StepKind) -> StepState {
        StepState.with {
            $0.name = name
            $0.kind = kind.rawValue
            $0.status = JobStatus(name: status.rawValue) ?? .unspecified
            $0.startedAtMilliseconds = startedAtMilliseconds
            $0.finishedAtMilliseconds = finishedAtMilliseconds
            $0.job = job
            $0.result = result.isNull ? "" : result.text()
            $0.error = error
        }
    }
}
