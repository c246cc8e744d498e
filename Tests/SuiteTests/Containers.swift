import Foundation
import TestKit
import Testing

extension Tag {
    /// Needs a container engine with Compose.
    @Tag static var containers: Tag
}

/// The suite in containers, as `compose.yaml` says, under a name of its own.
struct Containers {
    static let reason = "no container engine with Compose and debian:bookworm-slim is at hand"

    static let canRun =
        (try? run("docker", ["info"]).status) == 0
        && (try? run("docker", ["compose", "version"]).status) == 0
        && (try? run("docker", ["image", "inspect", "debian:bookworm-slim"]).status) == 0

    let project = "hone-test-\(ProcessInfo.processInfo.processIdentifier)"
    var image: String { "\(project):latest" }

    /// Makes the image of the programs that the tests run with.
    func build() throws {
        let script = SharedData.repository.appending(path: "Tests/Scripts/image.sh").path
        let programs = try #require(Programs.path?.deletingLastPathComponent().path)
        try done(Self.run("bash", [script, image, programs]))
    }

    /// Runs a verb of `docker compose`.
    @discardableResult
    func compose(_ arguments: [String]) throws -> String {
        let file = SharedData.repository.appending(path: "compose.yaml").path
        return try done(
            Self.run(
                "docker", ["compose", "--project-name", project, "--file", file] + arguments,
                ["HONE_IMAGE": image, "HONE_PORT": "0"]))
    }

    /// The containers of the inference replicas that run.
    func replicas() throws -> [String] {
        try compose(["ps", "--quiet", "inference"]).split(separator: "\n").map(String.init)
    }

    /// How much processor time a container's service has taken.
    ///
    /// - Returns: the ticks of its first process, in user and in system mode.
    func ticks(_ container: String) throws -> Int {
        let text = try done(Self.run("docker", ["exec", container, "cat", "/proc/1/stat"]))
        let fields = text.split(separator: " ").compactMap { Int($0) }
        // The process's id, then from the fourth field on numbers: 14 and 15 are the times.
        return try #require(fields.count > 12 ? fields[11] + fields[12] : nil)
    }

    /// Kills a container's service without warning, from outside.
    func kill(_ container: String) throws {
        let text = try done(
            Self.run("docker", ["inspect", "--format", "{{.State.Pid}}", container]))
        let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(Glibc.kill(pid, SIGKILL) == 0)
    }

    func end() throws {
        try compose(["down", "--volumes", "--timeout", "5"])
        try done(Self.run("docker", ["image", "rm", image]))
    }

    @discardableResult
    private func done(_ outcome: Programs.Outcome) throws -> String {
        try #require(outcome.status == 0, Comment(rawValue: outcome.text))
        return outcome.text
    }

    /// Runs a program of the machine's to its end.
    ///
    /// - Returns: its status, and its standard output; its standard error, too, where it failed.
    static func run(
        _ name: String, _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> Programs.Outcome {
        try Running(name, arguments, environment).end()
    }

    /// A program of the machine's at work.
    struct Running {
        private let process = Process()
        private let output: URL
        private let errors: URL

        init(
            _ name: String, _ arguments: [String], _ environment: [String: String] = [:]
        ) throws {
            let folder = FileManager.default.temporaryDirectory
            output = folder.appending(path: UUID().uuidString)
            errors = folder.appending(path: UUID().uuidString)
            try Data().write(to: output)
            try Data().write(to: errors)
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [name] + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
        }

        /// Waits for its end.
        func end() throws -> Programs.Outcome {
            process.waitUntilExit()
            let status = process.terminationStatus
            var text = try String(contentsOf: output, encoding: .utf8)
            if status != 0 { text += try String(contentsOf: errors, encoding: .utf8) }
            try FileManager.default.removeItem(at: output)
            try FileManager.default.removeItem(at: errors)
            return Programs.Outcome(status: status, text: text)
        }
    }
}
