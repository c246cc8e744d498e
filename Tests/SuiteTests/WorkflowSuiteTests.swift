import Foundation
import TestKit
import Testing

/// Workflows over all services as processes, with real files, while processes are killed.
@Suite(.serialized) struct WorkflowSuiteTests {
    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `the loop runs on real files and prints the published numbers`() throws {
        let rig = try Rig()
        try rig.up()
        let outcome = try rig.selfee(steps: 20, ["--json"])
        #expect(outcome.status == 0, Comment(rawValue: outcome.text))
        let line = try #require(outcome.text.split(separator: "\n").first { $0.hasPrefix("{") })
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let steps = try #require(value?["steps"] as? [String: [String: Any]])
        #expect(steps["mbpp"]?["examples"] as? Int == 969)
        #expect(steps["alpaca"]?["examples"] as? Int == 1500)
        #expect(steps["answer"]?["count"] as? Int == 4)
        #expect(steps["answer"]?["meanRevisions"] as? Double == 3)
        let (first, last) = (steps["train"]?["firstLoss"], steps["train"]?["lastLoss"])
        #expect(try #require(last as? Double) < #require(first as? Double), "loss falls")
        let pooled = try #require(steps["aggregate"]?["pooled"] as? Double)
        #expect(abs(pooled - 101.4394) < 0.001)
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: SharedData.isPresent, Comment(rawValue: SharedData.reason)))
    func `killed services are started again and nothing finished is done twice`() throws {
        let rig = try Rig()
        try rig.up()
        let started = try rig.selfee(steps: 60, ["--detach", "--key", "killed"])
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
        let ended = try rig.selfee(steps: 60, ["--key", "killed", "--json"])
        #expect(ended.status == 0, Comment(rawValue: ended.text))
        #expect(try Set(rig.steps(id).values) == ["succeeded"])
        let list = try Programs.hone(["workflow", "list", "--json"] + rig.directory)
        #expect(list.text.components(separatedBy: "\"id\"").count == 2, "one workflow, not two")
        // The events of all of the workflow's lives: the gateway died once, while "train" ran.
        let log = ended.text.split(separator: "\n")
        for step in ["mbpp", "alpaca", "statistics", "merge", "questions", "aggregate"] {
            #expect(log.filter { $0 == "\(step): begins" }.count == 1, "\(step)\n\(ended.text)")
        }
        #expect(log.filter { $0 == "train: begins" }.count <= 2, Comment(rawValue: ended.text))
        for step in try rig.steps(id).keys {
            #expect(log.filter { $0 == "\(step): done" }.count == 1, "\(step)\n\(ended.text)")
        }
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `drills go on when those who teach, judge and answer are killed`() throws {
        let rig = try Rig()
        try rig.up()
        let started = try rig.drills(["--detach", "--key", "killed"])
        #expect(started.status == 0, Comment(rawValue: started.text))
        let id = started.text.split(separator: "\n").first.map(String.init) ?? ""
        for (step, victims) in [
            ("augment", ["augmentation"]), ("plain", ["inference-1", "inference-2"]),
            ("judge", ["evaluator", "gateway"]),
        ] {
            try rig.wait(for: step, of: id)
            for victim in victims { try rig.kill(victim) }
            try rig.up()
        }
        let ended = try rig.drills(["--key", "killed", "--json"])
        #expect(ended.status == 0, Comment(rawValue: ended.text))
        #expect(try Set(rig.steps(id).values) == ["succeeded"])
        let log = ended.text.split(separator: "\n")
        for step in ["drill", "test", "train", "load"] {
            #expect(log.filter { $0 == "\(step): begins" }.count == 1, "\(step)\n\(ended.text)")
        }
    }
}
