import Foundation
import TestKit
import Testing

/// The whole suite as a newcomer meets it: every service a process, one command.
@Suite(.serialized) struct DemoTests {
    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `the quick demo shows accuracy rising with revisions`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "hone-suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let report = folder.appending(path: "report.json")
        let outcome = try Programs.hone([
            "demo", "--quick", "--report", report.path, "--http-port", "0", "--stop",
            "--data-directory", folder.appending(path: "data").path,
        ])
        #expect(outcome.status == 0, Comment(rawValue: outcome.text))
        let value = try JSONSerialization.jsonObject(with: Data(contentsOf: report))
        let members = try #require(value as? [String: Any])
        #expect(members["replicas"] as? Int == 2)
        #expect(members["passed"] as? Bool == true, Comment(rawValue: outcome.text))
        let families = try #require(members["families"] as? [[String: Any]])
        #expect(families.compactMap { $0["name"] as? String } == ["sort", "add"])
        for family in families {
            let accuracy = try #require(family["accuracyByRevision"] as? [Double])
            #expect(accuracy.count == 4)
            #expect((accuracy.last ?? 0) >= 0.9, "\(family)")
            let judge = try #require(family["judge"] as? [String: Any])
            #expect((judge["pooled"] as? Double ?? 0) > 100, "\(judge)")
        }
        try expectNothingRuns(folder.appending(path: "data"))
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `services start, tell where they are, and end`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "hone-suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let directory = ["--data-directory", folder.path]
        let up = try Programs.hone(["up", "--http-port", "0", "--replicas", "1"] + directory)
        #expect(up.status == 0, Comment(rawValue: up.text))
        let status = try Programs.hone(["status", "--json"] + directory)
        #expect(status.status == 0, Comment(rawValue: status.text))
        for name in ["data", "augmentation", "trainer", "inference-1", "evaluator", "gateway"] {
            #expect(status.text.contains("\"name\":\"\(name)\""), Comment(rawValue: status.text))
        }
        let again = try Programs.hone(["up", "--http-port", "0", "--replicas", "1"] + directory)
        #expect(!again.text.contains("started"), "what runs is not started twice")
        #expect(try Programs.hone(["down"] + directory).status == 0)
        try expectNothingRuns(folder)
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `wrong usage ends with 64 and says how to go on`() throws {
        let outcome = try Programs.hone(["nonsense"])
        #expect(outcome.status == 64)
        #expect(outcome.text.contains("Usage"))
        #expect(try Programs.hone(["demo", "--help"]).text.contains("Example"))
    }

    private func expectNothingRuns(_ directory: URL) throws {
        let table = directory.appending(path: "run/services.json")
        #expect(try String(contentsOf: table, encoding: .utf8) == "{}\n")
    }
}
