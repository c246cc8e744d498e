import Corpus
import FoundationEssentials
import Glibc
import RPC
import Schema
import ServiceKit
import TestKit
import Testing
import Wire

/// hone.Trainer as a process, with a data service as another.
@Suite(
    .enabled(
        if: Executable.path(of: "hone-trainer") != nil && Executable.path(of: "hone-data") != nil,
        "hone-trainer or hone-data was not built"))
struct TrainerServiceTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Runs `body` with clients of a data service that has the chains and of a trainer.
    private func serving(
        _ body: @escaping @Sendable (_ data: Client, _ trainer: Client) async throws -> Void
    ) async throws {
        let data = try await ServiceProcess("hone-data", in: folder)
        let trainer = try await ServiceProcess(
            "hone-trainer", in: folder, ["--data-service", data.address])
        try await withClient(try Target(parsing: data.address), tls: nil) { data in
            try await importChains(data)
            try await withClient(try Target(parsing: trainer.address), tls: nil) { trainer in
                try await body(data, trainer)
            }
        }
        #expect(trainer.end() == 0)
        #expect(data.end() == 0)
    }

    private func importChains(_ data: Client) async throws {
        let bytes = Array(Fixture.lines(Fixture.chains()).utf8)
        let version = try await data.clientStreaming(DataAPI.importDataset) { requests in
            try await requests.write(
                ImportRequest.with {
                    $0.header = ImportHeader.with {
                        $0.name = "sums"
                        $0.format = .selfee
                    }
                    $0.data = bytes
                })
        }
        #expect(version.examples == 12)
    }

    private func request(steps: Int, key: String = "first", saveSteps: Int = 0) -> TrainingRequest {
        TrainingRequest.with {
            $0.key = key
            $0.dataset.name = "sums"
            $0.configuration = """
                {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
                 "num_attention_heads": 2, "max_position_embeddings": 256}
                """
            $0.vocabularySize = 320
            $0.outputModel = "tuned"
            $0.parameters.maximumSteps = steps
            $0.parameters.batchSize = 4
            $0.parameters.learningRate = 3e-3
            $0.parameters.saveSteps = saveSteps
            $0.parameters.seed = 1
        }
    }

    /// Waits until a run has done a step.
    private func waitForStep(_ trainer: Client, _ id: String) async throws {
        let patience = ContinuousClock.now + .seconds(60)
        while try await RemoteJobs.trainer(trainer).get(id).progress == 0 {
            try #require(ContinuousClock.now < patience, "the run does no step")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func `a run is watched to its end and its model registered`() async throws {
        try await serving { data, trainer in
            let started = try await trainer.unary(TrainerAPI.start, request(steps: 30))
            let again = try await trainer.unary(TrainerAPI.start, request(steps: 30))
            #expect(again.id == started.id)
            var losses: [Double] = []
            var sequence = 0
            let end = try await RemoteJobs.trainer(trainer).follow(started.id) { event in
                #expect(event.sequence > sequence)
                sequence = event.sequence
                if let loss = event.metrics["loss"] { losses.append(loss) }
            }
            #expect(end.status == .succeeded, "\(end.error)")
            #expect(losses.count == 30)
            #expect((losses.last ?? 9) < (losses.first ?? 0) * 0.8, "\(losses)")
            #expect(end.result.contains("\"model\""))
            let record = try await data.unary(
                DataAPI.getModel, ModelReference.with { $0.name = "tuned" })
            #expect(
                Set(record.files.map(\.path)).isSuperset(of: [
                    "config.json", "model.safetensors", "tokenizer.json",
                ]))
            #expect(record.notes["dataset"] == "sums")
            #expect(record.notes["steps"] == "30")
            // What was registered is a base that another run can start from.
            var next = request(steps: 2, key: "second")
            next.configuration = ""
            next.baseModel = "tuned"
            next.outputModel = "tuned-again"
            let second = try await trainer.unary(TrainerAPI.start, next)
            #expect(second.id != started.id)
            let state = try await RemoteJobs.trainer(trainer).follow(second.id)
            #expect(state.status == .succeeded, "\(state.error)")
            let list = try await trainer.unary(TrainerAPI.list, JobQuery())
            #expect(Set(list.jobs.map(\.id)) == [started.id, second.id])
        }
    }

    @Test func `a checkpoint is written when asked for, and a cancelled run keeps it`()
        async throws
    {
        try await serving { _, trainer in
            let run = try await trainer.unary(TrainerAPI.start, request(steps: 1_000_000))
            let reference = JobReference.with { $0.id = run.id }
            try await waitForStep(trainer, run.id)
            let saved = try await trainer.unary(TrainerAPI.checkpointNow, reference)
            #expect(saved.step > 0)
            #expect(saved.path.hasSuffix("checkpoint-\(saved.step)"))
            #expect(FileManager.default.fileExists(atPath: saved.path + "/model.safetensors"))
            _ = try await trainer.unary(TrainerAPI.cancel, reference)
            let end = try await RemoteJobs.trainer(trainer).follow(run.id)
            #expect(end.status == .cancelled)
            #expect(FileManager.default.fileExists(atPath: saved.path))
            await expect(.failedPrecondition) {
                _ = try await trainer.unary(TrainerAPI.checkpointNow, reference)
            }
            // The same key goes on with the run, from its checkpoint.
            let resumed = try await trainer.unary(TrainerAPI.start, request(steps: 1_000_000))
            #expect(resumed.id == run.id && !resumed.status.isFinal)
            let patience = ContinuousClock.now + .seconds(60)
            while try await RemoteJobs.trainer(trainer).get(run.id).progress <= saved.step {
                try #require(ContinuousClock.now < patience, "the resumed run does no step")
                try await Task.sleep(for: .milliseconds(10))
            }
            _ = try await trainer.unary(TrainerAPI.cancel, reference)
            #expect(
                try await RemoteJobs.trainer(trainer).follow(run.id).status == .cancelled)
            let again = try await trainer.unary(TrainerAPI.resume, reference)
            #expect(again.id == run.id)
            _ = try await trainer.unary(TrainerAPI.cancel, reference)
        }
    }

    @Test func `a run that was cancelled ends well when it is started again`() async throws {
        try await serving { _, trainer in
            let whole = request(steps: 300, key: "whole")
            let end = try await RemoteJobs.trainer(trainer).follow(
                try await trainer.unary(TrainerAPI.start, whole).id)
            #expect(end.status == .succeeded, "\(end.error)")
            var (cut, run, ended) = (whole, end, end)
            // On a busy machine a run may end before it is cancelled.
            for attempt in 0..<8 where ended.status != .cancelled {
                cut = request(steps: 300, key: "cut \(attempt)")
                run = try await trainer.unary(TrainerAPI.start, cut)
                try await waitForStep(trainer, run.id)
                _ = try await trainer.unary(
                    TrainerAPI.cancel, JobReference.with { [id = run.id] in $0.id = id })
                ended = try await RemoteJobs.trainer(trainer).follow(run.id)
            }
            #expect(ended.status == .cancelled, "each ended before it was cancelled")
            var again = try await trainer.unary(TrainerAPI.start, cut)
            #expect(again.id == run.id)
            // Again, and without waiting for the end that was asked for.
            _ = try await trainer.unary(
                TrainerAPI.cancel, JobReference.with { [id = run.id] in $0.id = id })
            again = try await trainer.unary(TrainerAPI.start, cut)
            #expect(again.id == run.id)
            let rest = try await RemoteJobs.trainer(trainer).follow(run.id)
            #expect(rest.status == .succeeded, "\(rest.error)")
            #expect(try bytes(of: run.id) == bytes(of: end.id))
        }
    }

    /// The weights that a run has left.
    private func bytes(of id: String) throws -> [UInt8] {
        try folder.bytes("hone-trainer/runs/\(id)/model.safetensors")
    }

    @Test func `a killed trainer goes on with the run when it is back`() async throws {
        let data = try await ServiceProcess("hone-data", in: folder)
        try await withClient(try Target(parsing: data.address), tls: nil) { client in
            try await importChains(client)
        }
        let flags = ["--data-service", data.address]
        let first = try await ServiceProcess("hone-trainer", in: folder, flags)
        let request = request(steps: 400, saveSteps: 5)
        let id = try await withClient(try Target(parsing: first.address), tls: nil) { client in
            let run = try await client.unary(TrainerAPI.start, request)
            let checkpoint = folder.path + "/hone-trainer/runs/\(run.id)/checkpoint-5"
            let patience = ContinuousClock.now + .seconds(60)
            while !FileManager.default.fileExists(atPath: checkpoint) {
                try #require(ContinuousClock.now < patience, "no checkpoint appears")
                try await Task.sleep(for: .milliseconds(1))
            }
            first.end(SIGKILL)
            return run.id
        }
        let model = folder.path + "/hone-trainer/runs/\(id)/model.safetensors"
        #expect(!FileManager.default.fileExists(atPath: model), "it ended before the kill")
        let second = try await ServiceProcess("hone-trainer", in: folder, flags)
        try await withClient(try Target(parsing: second.address), tls: nil) { client in
            let again = try await client.unary(TrainerAPI.start, request)
            #expect(again.id == id)
            let end = try await RemoteJobs.trainer(client).follow(id)
            #expect(end.status == .succeeded, "\(end.error)")
        }
        // The same run without a kill has the same bits.
        try await withClient(try Target(parsing: second.address), tls: nil) { client in
            var whole = request
            whole.key = "whole"
            let run = try await client.unary(TrainerAPI.start, whole)
            let end = try await RemoteJobs.trainer(client).follow(run.id)
            #expect(end.status == .succeeded, "\(end.error)")
            #expect(try bytes(of: id) == bytes(of: run.id))
        }
    }

    @Test func `requests that cannot be carried out are refused`() async throws {
        try await serving { _, trainer in
            let good = request(steps: 1)
            var bad = good
            bad.dataset.name = ""
            await expect(.invalidArgument) { [bad] in
                _ = try await trainer.unary(TrainerAPI.start, bad)
            }
            bad = good
            bad.key = ""
            await expect(.invalidArgument) { [bad] in
                _ = try await trainer.unary(TrainerAPI.start, bad)
            }
            bad = good
            bad.parameters.learningRate = -1
            await expect(.invalidArgument) { [bad] in
                _ = try await trainer.unary(TrainerAPI.start, bad)
            }
            await expect(.notFound) {
                _ = try await trainer.unary(
                    TrainerAPI.get, JobReference.with { $0.id = "no such run" })
            }
            bad = good
            bad.dataset.name = "no such dataset"
            let run = try await trainer.unary(TrainerAPI.start, bad)
            let end = try await RemoteJobs.trainer(trainer).follow(run.id)
            #expect(end.status == .failed)
            #expect(end.error.contains("no such dataset"))
        }
    }

    private func expect(_ code: Status.Code, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("the call succeeded instead of failing with \(code)")
        } catch {
            #expect((error as? Status)?.code == code, "\(error)")
        }
    }
}
