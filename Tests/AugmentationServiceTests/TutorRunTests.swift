import Corpus
import Glibc
import TestKit
import Testing

/// The offline command against the tutor, failing in every way it knows, and killed now and then.
@Suite(
    .enabled(
        if: Executable.path(of: "hone-tutor") != nil
            && Executable.path(of: "hone-augmentation") != nil,
        "the executables were not built beside the tests"))
struct TutorRunTests {
    private static let concurrency = 6
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func arguments(_ name: String, _ tutor: ServiceProcess) -> [String] {
        [
            "run", "--input-path", folder.path + "/tasks.json", "--output-path",
            "\(folder.path)/\(name).jsonl", "--fail-path", "\(folder.path)/\(name).failed",
            "--procedure", "alpaca", "--endpoint", "http://\(tutor.address)", "--model", "tutor",
            "--requests-per-minute", "0", "--concurrency", "\(Self.concurrency)", "--json",
        ]
    }

    private func statistics(of tutor: ServiceProcess) async throws -> JSON {
        let output = try await Executable.run(
            "/usr/bin/curl", ["-s", "http://\(tutor.address)/tutor/statistics"])
        return try JSON(parsing: output.text)
    }

    private func lines(_ name: String) throws -> [String] {
        try folder.text(name).split(separator: "\n").map { String($0) }.sorted()
    }

    @Test func `failures and kills change nothing of what comes out`() async throws {
        let drills = try await Executable.run(
            "hone-tutor",
            ["drill", "--family", "both", "--count", "40", "--size", "6", "--form", "alpaca"])
        try folder.write(drills.text, "tasks.json")
        let calm = try await ServiceProcess("hone-tutor", in: folder, ["--count-repeats"])
        let undisturbed = try await Executable.run("hone-augmentation", arguments("calm", calm))
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")
        let usual = try await statistics(of: calm)
        let replies = try #require(usual["replies"]?.intValue)

        let wild = try await ServiceProcess(
            "hone-tutor", in: folder,
            [
                "--count-repeats", "--fail-429-every", "19", "--retry-after", "0.05",
                "--fail-500-every", "23", "--fail-cut-every", "29", "--fail-slow-every", "2",
                "--slow-milliseconds", "40",
            ])
        var kills = 0
        for share in [4, 2] {
            let process = try RunningExecutable("hone-augmentation", arguments("wild", wild))
            while process.isRunning,
                try await statistics(of: wild)["replies"]?.intValue ?? 0 < replies / share
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            process.end(SIGKILL)
            kills += 1
        }
        let last = try await Executable.run("hone-augmentation", arguments("wild", wild))
        #expect(last.status == 0, "\(last.errors)")
        #expect(try lines("wild.jsonl") == lines("calm.jsonl"))
        #expect(try folder.text("wild.failed").isEmpty)
        let counts = try await statistics(of: wild)
        // What was on its way at a kill may have been answered without being kept.
        let spare = kills * Self.concurrency
        #expect((counts["replies"]?.intValue ?? .max) <= replies + spare)
        let repeats = usual["repeats"]?.intValue ?? 0
        #expect((counts["repeats"]?.intValue ?? .max) <= repeats + spare)
        for kind in ["429", "500", "cut", "slow"] {
            #expect(counts["failures"]?[kind]?.intValue ?? 0 > 0, "\(kind)")
        }
    }
}
