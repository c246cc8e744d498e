import FoundationEssentials
import Glibc
import InferenceService
import RPC
import Schema
import ServiceKit
import TestKit
import Testing

/// The service as a process: what it remembers, and what it says of itself.
@Suite(
    .enabled(if: Executable.path(of: "hone-inference") != nil, "hone-inference was not built"))
struct ServingTests {
    private let folder: TestKit.TemporaryFolder
    private let models: InferenceServiceTests.TemporaryFolder

    init() throws {
        folder = try TestKit.TemporaryFolder()
        models = try InferenceServiceTests.TemporaryFolder()
    }

    private func serving(
        _ flags: [String] = [], endingWith signal: Int32 = SIGTERM,
        _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        let service = try await ServiceProcess("hone-inference", in: folder, flags)
        try await withClient(try Target(parsing: service.address), tls: nil) { client in
            try await body(client)
        }
        _ = service.end(signal)
    }

    /// Waits for what probes are told of the model; the process itself is always well.
    private static func expectHealth(
        _ client: Client, _ status: Health.ServingStatus
    ) async throws {
        #expect(try await client.health() == .serving)
        let patience = ContinuousClock.now + .seconds(60)
        while try await client.health(of: "hone.Inference") != status {
            try #require(ContinuousClock.now < patience, "hone.Inference is never \(status)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func load(_ client: Client, _ model: String) async throws {
        let status = try await client.unary(
            InferenceAPI.load, LoadRequest.with { $0.model = model })
        #expect(status.ready && status.model == model)
    }

    @Test func `a killed process serves its model again when it is back`() async throws {
        let first = try TinyModel.make(in: models, name: "first")
        let second = try TinyModel.make(in: models, name: "second", seed: 6)
        try await serving(endingWith: SIGKILL) { client in
            try await Self.expectHealth(client, .notServing)
            do {
                _ = try await client.unary(InferenceAPI.tokenize, TokenizeRequest())
                Issue.record("it answers without a model")
            } catch let status as Status {
                #expect(status.code == .failedPrecondition)
                #expect(status.message.contains("no model is loaded"))
            }
            try await Self.load(client, first)
            try await Self.expectHealth(client, .serving)
        }
        try await serving(endingWith: SIGKILL) { client in
            let status = try await client.unary(InferenceAPI.status, Empty())
            #expect(status.ready && status.model == first)
            try await Self.expectHealth(client, .serving)
        }
        // A command line that names another model is a newer wish; a call after it a newer one.
        let flags = ["--model", second]
        try await serving(flags, endingWith: SIGKILL) { client in
            let status = try await client.unary(InferenceAPI.status, Empty())
            #expect(status.model == second)
            try await Self.load(client, first)
        }
        try await serving(flags) { client in
            let status = try await client.unary(InferenceAPI.status, Empty())
            #expect(status.model == first)
        }
    }

    @Test func `a model that was written anew is loaded anew`() async throws {
        let model = try TinyModel.make(in: models)
        let models = models
        try await serving { client in
            let request = ScoreRequest.with { $0.tokens = [3, 4, 5] }
            try await Self.load(client, model)
            let first = try await client.unary(InferenceAPI.score, request).logprobs
            try await Self.load(client, model)
            #expect(try await client.unary(InferenceAPI.score, request).logprobs == first)
            try FileManager.default.removeItem(atPath: model)
            _ = try TinyModel.make(in: models, seed: 6)
            try await Self.load(client, model)
            #expect(try await client.unary(InferenceAPI.score, request).logprobs != first)
        }
    }

    @Test func `a model that is gone does not keep the process from beginning`() async throws {
        let model = try TinyModel.make(in: models)
        try await serving { try await Self.load($0, model) }
        try FileManager.default.removeItem(atPath: model)
        try await serving { client in
            try await Self.expectHealth(client, .notServing)
            #expect(try await !client.unary(InferenceAPI.status, Empty()).ready)
        }
    }
}

extension ScoreRequest {
    fileprivate static func with(_ change: (inout ScoreRequest) -> Void) -> ScoreRequest {
        var request = ScoreRequest()
        change(&request)
        return request
    }
}

extension LoadRequest {
    fileprivate static func with(_ change: (inout LoadRequest) -> Void) -> LoadRequest {
        var request = LoadRequest()
        change(&request)
        return request
    }
}
