import Foundation
import TestKit
import Testing

/// `hone data …`, as people type it, against a data service of its own.
@Suite(.enabled(if: Executable.path(of: "hone") != nil, "hone was not built beside the tests"))
struct DataCommandTests {
    private let folder: TemporaryFolder
    private let service: ServiceProcess

    init() async throws {
        folder = try TemporaryFolder()
        service = try await ServiceProcess("hone-data", in: folder)
    }

    private func data(_ arguments: String...) async throws -> Executable.Output {
        try await Executable.run(
            "hone", ["data"] + arguments + ["--data-service", service.address])
    }

    private func object(_ output: Executable.Output) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(output.text.utf8))
        return try #require(value as? [String: Any], "\(output.text)")
    }

    private func chain(_ name: String) -> String {
        #"{"iteration_truncated": false, "instruction": "\#(name)", "input": "", "iteration": 1, "#
            + #""outputs": [{"output": "o", "feedback": "Revision is not needed."}]}"#
    }

    @Test func `a file is imported, counted, listed and exported`() async throws {
        let text = chain("a") + "\n" + chain("b") + "\n"
        let file = try folder.write(text, "set_pets.jsonl")
        let imported = try await data("import", file, "--format", "selfee", "--json")
        #expect(imported.status == 0, "\(imported.errors)")
        let dataset = try #require(try object(imported)["dataset"] as? [String: Any])
        #expect(dataset["name"] as? String == "set_pets")
        #expect(dataset["records"] as? Int == 2)
        let stats = try object(try await data("stats", "set_pets", "--json"))
        #expect(stats["chains"] as? Int == 2)
        #expect(try await data("stats", "set_pets").text.contains("chains           2"))
        let list = try await data("list", "--json")
        let rows = try JSONSerialization.jsonObject(with: Data(list.text.utf8)) as? [[String: Any]]
        #expect(rows?.map { $0["name"] as? String } == ["set_pets"])
        #expect(try await data("list").text.contains("2 records"))
        #expect(try await data("export", "set_pets").text == text)
        let written = try await data(
            "export", "set_pets", "--format", "selfee-array", "--output", folder.path + "/out",
            "--json")
        let array = try folder.text("out")
        let report = try object(written)
        #expect(report["bytes"] as? Int == array.utf8.count)
        #expect(array == "[\(chain("a")), \(chain("b"))]")
    }

    @Test func `a reader that has had enough ends an export in silence`() async throws {
        let row =
            #"{"instruction": "i", "input": "", "output": "\#(String(repeating: "o", count: 999))"}"#
        let file = try folder.write(
            Array(repeating: row, count: 3_000).joined(separator: "\n"), "many.jsonl")
        #expect(try await data("import", file, "--format", "alpaca").status == 0)
        let hone = try #require(Executable.path(of: "hone"))
        let output = try await Executable.run(
            "/bin/sh",
            ["-c", "'\(hone)' data export many --data-service \(service.address) | head -c 5"])
        #expect(output.text == row.prefix(5))
        #expect(output.errors.isEmpty)
    }

    @Test func `datasets and files are merged under their labels`() async throws {
        let first = try folder.write(chain("a"), "feedback_alpaca.jsonl")
        let second = try folder.write("[\(chain("b"))]", "mbpp.json")
        #expect(try await data("import", first, "--format", "selfee").status == 0)
        let merged = try await data(
            "merge", "all", "feedback_alpaca", second + "=code", "--output", folder.path + "/all",
            "--json")
        #expect(merged.status == 0, "\(merged.errors)")
        let made = try object(merged)
        #expect(made["records"] as? Int == 2)
        let rows = try JSONSerialization.jsonObject(with: Data(folder.bytes("all")))
        let labels = try #require(rows as? [[String: Any]]).map { $0["dataset"] as? String }
        #expect(labels == ["alpaca", "code"])
    }

    @Test func `a merge that could not be written makes nothing`() async throws {
        let plain = try folder.write(#"{"instruction": "i", "input": "", "output": "o"}"#, "plain")
        let chains = try folder.write(chain("a"), "chains")
        #expect(try await data("import", plain, "--format", "alpaca").status == 0)
        let merged = try await data(
            "merge", "all", chains, "plain", "--output", folder.path + "/all")
        #expect(merged.status == 1)
        #expect(merged.errors.contains("plain holds 1 records that are no chains"))
        #expect(try await data("list", "all", "--json").text == "[]\n")
        #expect(try await data("merge", "all", chains, "plain").status == 0)
    }

    @Test func `what is wrong is said of the file it is wrong with`() async throws {
        let bad = try folder.write("[{", "bad.json")
        let refused = try await data("import", bad, "--format", "selfee", "--json")
        #expect(refused.status == 1)
        #expect(refused.errors.contains(bad))
        #expect(refused.text.isEmpty)
        let missing = try await data("import", folder.path + "/none", "--format", "selfee")
        #expect(missing.status == 1)
        #expect(missing.errors.contains(folder.path + "/none"))
        #expect(try await data("export", "none").status == 1)
        #expect(try await data("stats", "none").errors.contains("there is no dataset none"))
        #expect(try await data("import", bad, "--format", "riddle").status == 64)
        #expect(try await data("export", "none", "--json").status == 64)
        for verb in ["import", "merge", "export", "stats", "list", "split"] {
            let help = try await data(verb, "--help")
            #expect(help.status == 0 && help.text.contains("hone data \(verb)"))
        }
    }
}
