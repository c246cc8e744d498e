import Foundation
import TestKit
import Testing

/// Workflows over all services as processes, with real files, while processes are killed.
@Suite(.serialized) struct WorkflowSuiteTests {
    private static let definition =
        SharedData.repository.appending(path: "services/gateway/workflows/selfee.yaml").path

    private struct Rig {
        let folder: URL
        var directory: [String] { ["--data-directory", folder.appending(path: "data").path] }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(
                path: "hone-suite-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        func up() throws {
            let outcome = try Programs.hone(
                ["up", "--http-port", "0", "--replicas", "2"] + directory)
            #expect(outcome.status == 0, Comment(rawValue: outcome.text))
        }

        func run(steps: Int, _ more: [String]) throws -> Programs.Outcome {
            let shared = try #require(SharedData.folder).path
            return try Programs.hone(
                [
                    "workflow", "run", WorkflowSuiteTests.definition, "--set", "shared=\(shared)",
                    "--set", "steps=\(steps)", "--set", "questions=4", "--set", "tokens=16",
                ] + more + directory)
        }

        /// The steps of a workflow by name: their status.
        func steps(_ id: String) throws -> [String: String] {
            let outcome = try Programs.hone(["workflow", "steps", id, "--json"] + directory)
            guard outcome.status == 0 else { return [:] }
            let value = try JSONSerialization.jsonObject(with: Data(outcome.text.utf8))
            var statuses: [String: String] = [:]
            for row in value as? [[String: Any]] ?? [] {
                statuses[row["name"] as? String ?? ""] = row["status"] as? String
            }
            return statuses
        }

        /// Returns once a step has begun.
        func wait(for step: String, of id: String) throws {
            let deadline = ContinuousClock.now + .seconds(180)
            while try steps(id)[step] ?? "queued" == "queued" {
                try #require(ContinuousClock.now < deadline, "step \(step) did not begin")
                usleep(100_000)
            }
        }

        /// Kills a service without warning, and returns once it is gone: until then it counts as running.
        func kill(_ name: String) throws {
            let table = folder.appending(path: "data/run/services.json")
            let value = try JSONSerialization.jsonObject(with: Data(contentsOf: table))
            let entry = (value as? [String: Any])?[name] as? [String: Any]
            let pid = try #require(entry?["pid"] as? Int)
            #expect(Glibc.kill(pid_t(pid), SIGKILL) == 0)
            let deadline = ContinuousClock.now + .seconds(60)
            while Glibc.kill(pid_t(pid), 0) == 0, ContinuousClock.now < deadline { usleep(10_000) }
        }

        func end() throws {
            _ = try Programs.hone(["down"] + directory)
            try FileManager.default.removeItem(at: folder)
        }
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `the loop runs on real files and prints the published numbers`() throws {
        let rig = try Rig()
        try rig.up()
        let outcome = try rig.run(steps: 20, ["--json"])
        #expect(outcome.status == 0, Comment(rawValue: outcome.text))
        let line = try #require(outcome.text.split(separator: "\n").first { $0.hasPrefix("{") })
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let steps = try #require(value?["steps"] as? [String: [String: Any]])
        #expect(steps["mbpp"]?["examples"] as? Int == 969)
        #expect(steps["alpaca"]?["examples"] as? Int == 1500)
        #expect(steps["answer"]?["count"] as? Int == 4)
        #expect(steps["answer"]?["meanRevisions"] as? Double == 3)
        let pooled = try #require(steps["aggregate"]?["pooled"] as? Double)
        #expect(abs(pooled - 101.4394) < 0.001)
        try rig.end()
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `killed services are started again and nothing finished is done twice`() throws {
        let rig = try Rig()
        try rig.up()
        let started = try rig.run(steps: 60, ["--detach", "--key", "killed"])
        #expect(started.status == 0, Comment(rawValue: started.text))
        let id = started.text.split(separator: "\n").first.map(String.init) ?? ""
        // One after the other dies once the step that needs it runs.
        for (step, victims) in [
            ("train", ["trainer", "gateway"]), ("answer", ["inference-1", "data"]),
        ] {
            try rig.wait(for: step, of: id)
            for victim in victims { try rig.kill(victim) }
            try rig.up()
        }
        let ended = try rig.run(steps: 60, ["--key", "killed", "--json"])
        #expect(ended.status == 0, Comment(rawValue: ended.text))
        #expect(try Set(rig.steps(id).values) == ["succeeded"])
        let list = try Programs.hone(["workflow", "list", "--json"] + rig.directory)
        #expect(list.text.components(separatedBy: "\"id\"").count == 2, "one workflow, not two")
        try rig.end()
    }
}
