import Foundation
import Glibc
import TestKit
import Testing

/// All services as processes over a folder of their own; they end with this object.
final class Rig {
    let folder: URL
    /// The services' data directory: where `hone up` keeps it below a home.
    private var data: URL { folder.appending(path: ".hone") }
    var directory: [String] { ["--data-directory", data.path] }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "hone-suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        do {
            _ = try Programs.hone(["down"] + directory)
            try FileManager.default.removeItem(at: folder)
        } catch {
            print("could not end the services of \(folder.path): \(error)")
        }
    }

    func up(replicas: Int = 2) throws {
        let outcome = try Programs.hone(
            ["up", "--http-port", "0", "--replicas", "\(replicas)"] + directory)
        try #require(outcome.status == 0, Comment(rawValue: outcome.text))
    }

    /// Runs the workflow on real files, shortened.
    func selfee(steps: Int, _ more: [String]) throws -> Programs.Outcome {
        let shared = try #require(SharedData.folder).path
        return try workflow(
            "selfee",
            [
                "--set", "shared=\(shared)", "--set", "steps=\(steps)", "--set", "questions=4",
                "--set", "tokens=16",
            ] + more)
    }

    /// Runs the workflow on drills, shortened.
    func drills(_ more: [String]) throws -> Programs.Outcome {
        try workflow(
            "drills",
            ["--set", "chains=600", "--set", "steps=40", "--set", "questions=8"] + more)
    }

    private func workflow(_ name: String, _ arguments: [String]) throws -> Programs.Outcome {
        let definition = SharedData.repository
            .appending(path: "services/gateway/workflows/\(name).yaml").path
        return try Programs.hone(["workflow", "run", definition] + arguments + directory)
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
        let deadline = ContinuousClock.now + .seconds(600)
        while try steps(id)[step] ?? "queued" == "queued" {
            try #require(ContinuousClock.now < deadline, "step \(step) did not begin")
            usleep(100_000)
        }
    }

    /// What is known of a running service.
    func entry(_ name: String) throws -> [String: Any] {
        let table = data.appending(path: "run/services.json")
        let value = try JSONSerialization.jsonObject(with: Data(contentsOf: table))
        return try #require((value as? [String: Any])?[name] as? [String: Any])
    }

    /// Kills a service without warning, and at once.
    func kill(_ name: String) throws {
        let pid = try #require(try entry(name)["pid"] as? Int)
        #expect(Glibc.kill(pid_t(pid), SIGKILL) == 0)
    }
}
