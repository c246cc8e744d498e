import Corpus
import GatewayService
import Jobs
import RPC
import Schema
import ServiceKit
import Synchronization
import Testing
import Wire

@Suite struct `A workflow` {
    private let folder: Folder
    private let data = ScriptedData()
    private let inference = ScriptedInference()
    private let trainer: ScriptedTrainer
    private let context = CallContext(method: "test")

    init() throws {
        folder = try Folder()
        trainer = try ScriptedTrainer(path: folder.path + "/trainer.sqlite")
    }

    private func request(_ second: String = "Q2") throws -> WorkflowRequest {
        let questions = try folder.file(
            "questions.jsonl",
            """
            {"question_id": 1, "text": "Q1", "category": "generic"}
            {"question_id": 2, "text": "\(second)", "category": "generic"}

            """)
        _ = try folder.file("chains.jsonl", "{}\n{}\n")
        return WorkflowRequest.with {
            $0.key = "w"
            $0.parameters = ["questions": questions, "directory": folder.path]
            $0.definition = """
                parameters: {questions: }
                steps:
                  - {name: chains, kind: import, path: chains.jsonl, format: selfee, dataset: c}
                  - {name: train, kind: train, dataset: "${steps.chains.dataset}",
                     baseModel: base, outputModel: tuned, maximumSteps: "3"}
                  - {name: load, kind: load, model: "${steps.train.model}"}
                  - {name: file, kind: upload, path: "${questions}"}
                  - name: answer
                    kind: answer
                    questions: ${steps.file.artifact}
                    model: ${steps.load.model}
                    revision: {mode: enforced, minimum: 2}
                    concurrency: 1
                """
        }
    }

    /// All scripted services, while the body runs.
    private func withServices<Value: Sendable>(
        _ body: @Sendable (GatewayHandler, JobTable) async throws -> Value
    ) async throws -> Value {
        try await serving(data.router()) { data in
            try await serving(trainer.router()) { port in
                try await serving(inference.router()) { inference in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await self.trainer.run() }
                        let value = try await withWorkflows(
                            folder.path + "/jobs.sqlite", data: data, trainer: port,
                            inference: inference, body)
                        group.cancelAll()
                        return value
                    }
                }
            }
        }
    }

    @Test func `runs its steps in order and keeps what each gave`() async throws {
        let request = try request()
        try await withServices { handler, table in
            let started = try await handler.runWorkflow(request, context)
            let again = try await handler.runWorkflow(request, context)
            #expect(started.id == again.id)
            let ended = try await table.finish(of: started.id)
            #expect(ended.status == .succeeded, "\(ended.error)")
            let result = try JSON(parsing: ended.result)
            #expect(result["steps"]?["chains"]?["dataset"] == "c@v6")
            #expect(result["steps"]?["train"]?["model"] == "tuned")
            #expect(result["steps"]?["train"]?["base"] == "base")
            #expect(result["steps"]?["train"]?["firstLoss"]?.doubleValue == 3)
            #expect(result["steps"]?["train"]?["lastLoss"]?.doubleValue == 1.25)
            #expect(result["steps"]?["load"]?["replicas"] == 1)
            #expect(result["steps"]?["answer"]?["count"] == 2)
            #expect(result["steps"]?["answer"]?["meanRevisions"]?.doubleValue == 2)
            let hash = try #require(result["steps"]?["answer"]?["answers"]?.stringValue)
            let bytes = try #require(data.artifacts.withLock { $0[hash] })
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let first = try JSON(parsing: String(lines[0]))
            #expect(first["question_id"] == 1)
            #expect(first["text"] == "draft 2 of Q1")
            #expect(first["model_id"] == "tuned")
            #expect(first["drafts"]?.arrayValue?.count == 3)
            let steps = try await handler.steps(
                JobReference.with { $0.id = started.id }, context)
            #expect(steps.steps.map(\.status) == Array(repeating: .succeeded, count: 5))
            #expect(steps.steps[1].job.isEmpty == false)
        }
        #expect(inference.requests.withLock { $0.count } == 2)
        #expect(data.imports.withLock { $0 } == ["c"])
    }

    @Test func `goes on where a stopped gateway left it`() async throws {
        let request = try request("wait here")
        let id = try await withServices { handler, _ in
            let started = try await handler.runWorkflow(request, context)
            await inference.started.wait()
            return started.id
        }
        // The second question was underway: everything before it is done, and is not done again.
        #expect(inference.requests.withLock { $0.map(\.instruction) } == ["Q1", "wait here"])
        let second = ScriptedInference(patient: true)
        let ended = try await serving(data.router()) { data in
            try await serving(trainer.router()) { trainer in
                try await serving(second.router()) { inference in
                    try await withWorkflows(
                        folder.path + "/jobs.sqlite", data: data, trainer: trainer,
                        inference: inference
                    ) { _, table in try await table.finish(of: id) }
                }
            }
        }
        #expect(ended.status == .succeeded, "\(ended.error)")
        #expect(second.requests.withLock { $0.map(\.instruction) } == ["wait here"])
        #expect(data.imports.withLock { $0 } == ["c"])
        #expect(trainer.starts.withLock { Array($0.values) } == [1])
    }

    @Test func `waits for a service that is away`() async throws {
        let request = try request()
        let port = try await serving(inference.router()) { $0 }
        let ended = try await serving(data.router()) { data in
            try await serving(trainer.router()) { trainerPort in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.trainer.run() }
                    let ended = try await withWorkflows(
                        folder.path + "/jobs.sqlite", data: data, trainer: trainerPort,
                        inference: port
                    ) { handler, table in
                        let started = try await handler.runWorkflow(request, context)
                        for try await event in table.events(of: started.id)
                        where event.message.contains("inference is away") { break }
                        return try await serving(inference.router(), port: port) { _ in
                            try await table.finish(of: started.id)
                        }
                    }
                    group.cancelAll()
                    return ended
                }
            }
        }
        #expect(ended.status == .succeeded, "\(ended.error)")
    }

    @Test func `is refused before it starts where it cannot run`() async throws {
        try await withServices { handler, table in
            let request = WorkflowRequest.with {
                $0.key = "x"
                $0.definition = "steps: [{name: a, kind: load}]"
            }
            await #expect(throws: GatewayError.self) {
                try await handler.runWorkflow(request, context)
            }
            let jobs = try await table.jobs()
            #expect(jobs.isEmpty)
        }
    }

    @Test func `cancelled, it leaves nothing running, and goes on when asked again`() async throws {
        let request = try request()
        trainer.isSlow.withLock { $0 = true }
        try await withServices { handler, table in
            let started = try await handler.runWorkflow(request, context)
            let reference = JobReference.with { $0.id = started.id }
            await trainer.began.wait()
            while try await handler.steps(reference, context).steps[1].job.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            let cancelled = try await handler.cancel(reference, context)
            #expect(cancelled.status == .cancelled)
            let steps = try await handler.steps(reference, context).steps
            #expect(steps[0].status == .succeeded)
            #expect(steps.dropFirst().allSatisfy { $0.status == .cancelled })
            let run = try await trainer.table.finish(of: steps[1].job)
            #expect(run.status == .cancelled)
            trainer.isSlow.withLock { $0 = false }
            let again = try await handler.runWorkflow(request, context)
            #expect(again.id == started.id)
            let ended = try await table.finish(of: again.id)
            #expect(ended.status == .succeeded, "\(ended.error)")
            let after = try await handler.steps(reference, context).steps
            #expect(after.allSatisfy { $0.status == .succeeded })
            #expect(after[1].job == steps[1].job)
        }
        #expect(data.imports.withLock { $0 } == ["c"])
    }

    @Test func `a step that fails ends those beside it`() async throws {
        trainer.isSlow.withLock { $0 = true }
        let file = try folder.file("chains.jsonl", "{}\n")
        let request = WorkflowRequest.with {
            $0.key = "w"
            $0.definition = """
                steps:
                  - {name: train, kind: train, dataset: c, outputModel: tuned, after: []}
                  - {name: wait, kind: import, path: "\(file)", dataset: x,
                     format: selfee, after: []}
                """
        }
        data.holdsImports.withLock { $0 = true }
        try await withServices { handler, table in
            let started = try await handler.runWorkflow(request, context)
            let reference = JobReference.with { $0.id = started.id }
            await trainer.began.wait()
            while try await handler.steps(reference, context).steps[0].job.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            data.refuse.raise()
            let ended = try await table.finish(of: started.id)
            #expect(ended.status == .failed)
            #expect(ended.error.contains("the disk is full"))
            let steps = try await handler.steps(reference, context).steps
            #expect(steps.map(\.status) == [.cancelled, .failed])
            let run = try await trainer.table.finish(of: steps[0].job)
            #expect(run.status == .cancelled)
        }
    }

    @Test func `a key names one workflow`() async throws {
        let request = try request()
        try await withServices { handler, table in
            let started = try await handler.runWorkflow(request, context)
            var other = request
            other.parameters["questions"] = "elsewhere"
            let error = await #expect(throws: GatewayError.self) {
                try await handler.runWorkflow(other, context)
            }
            #expect(error?.status.code == .alreadyExists)
            #expect(error?.description.contains("questions") == true)
            var changed = request
            changed.definition += "\n    limit: 1\n"
            await #expect(throws: GatewayError.self) {
                try await handler.runWorkflow(changed, context)
            }
            _ = try await table.finish(of: started.id)
        }
    }

    @Test func `answers go on where every replica has come back empty`() async throws {
        let request = try request("wait here")
        let empty = ScriptedInference(patient: true, model: "")
        let ended = try await serving(data.router()) { data in
            try await serving(trainer.router()) { trainerPort in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.trainer.run() }
                    let port = try await serving(ScriptedInference().router()) { $0 }
                    let ended = try await withWorkflows(
                        folder.path + "/jobs.sqlite", data: data, trainer: trainerPort,
                        inference: port
                    ) { handler, table in
                        let id = try await serving(inference.router(), port: port) { _ in
                            let started = try await handler.runWorkflow(request, context)
                            await inference.started.wait()
                            return started.id
                        }
                        return try await serving(empty.router(), port: port) { _ in
                            try await table.finish(of: id)
                        }
                    }
                    group.cancelAll()
                    return ended
                }
            }
        }
        #expect(ended.status == .succeeded, "\(ended.error)")
        #expect(empty.requests.withLock { $0.map(\.instruction) } == ["wait here"])
        #expect(empty.loads.withLock { Set($0) } == ["tuned"])
    }
}
