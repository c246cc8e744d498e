import Corpus
import DataService
import FoundationEssentials
import RPC
import Schema
import TestKit
import Testing

@Suite struct DatasetTests {
    @Test func `an import comes back as it was`() async throws {
        try await Harness.run { service in
            let text = "\(Rows.chain("a"))\n\(Rows.chain("b \\u00e9"))\n"
            let version = try await service.importText(text, "chains", .selfee)
            #expect(version.examples == 2)
            #expect(version.version == SHA256.hexadecimal(of: text))
            #expect(version.artifact.hash == version.version)
            #expect(version.bytes == text.utf8.count)
            #expect(try await service.export("chains", .selfeeLines) == Array(text.utf8))
            let array = "[\(Rows.chain("a")), \(Rows.chain("b \\u00e9"))]"
            #expect(try await service.export("chains", .selfeeArray) == Array(array.utf8))
            let again = try await service.importText(array, "array", .selfee)
            #expect(again.version == version.version)
        }
    }

    @Test func `of a conversation the first answered human message is kept, if it is English`()
        async throws
    {
        let turns = [
            ("gpt", "An answer that was cut from what came before it."),
            ("human", "Please tell me about cats."),
            ("gpt", "Cats are small animals that sleep a lot."),
        ]
        let german = [
            ("human", "Wie koche ich ein Ei, ohne dass die Schale bricht?"),
            ("gpt", "Man legt es vorsichtig in das heiße Wasser und wartet fünf Minuten."),
        ]
        let text = [turns, german].map { turns in
            let messages = turns.map { "{\"from\": \"\($0)\", \"value\": \"\($1)\"}" }
            return "{\"conversations\": [\(messages.joined(separator: ", "))]}"
        }.joined(separator: "\n")
        func instructions(
            _ service: Harness, _ options: [String: String]
        ) async throws -> [String] {
            let name = "talk\(options.count)\(options.values.joined())"
            _ = try await service.importText(text, name, .sharegpt) { $0.options = options }
            return try await service.export(name, .lines).split(separator: 10).compactMap {
                try JSON(parsing: Array($0))["instruction"]?.stringValue
            }
        }
        try await Harness.run { service in
            let usual = try await instructions(service, [:])
            #expect(usual == [turns[1].1])
            let any = try await instructions(service, ["language": "any"])
            #expect(any == [turns[1].1, german[0].1])
            let original = try await instructions(service, ["pair": "original"])
            #expect(original == [turns[0].1])
            let code = await service.code {
                _ = try await instructions(service, ["language": "German"])
            }
            #expect(code == .invalidArgument)
        }
    }

    @Test func `an Alpaca file comes back as Python writes it`() async throws {
        try await Harness.run { service in
            let text = """
                [
                    {
                        "instruction": "i\\u00e9",
                        "input": "",
                        "output": "o"
                    },
                    {
                        "instruction": "j",
                        "input": "k",
                        "output": "l\\nm"
                    }
                ]
                """
            _ = try await service.importText(text, "alpaca", .alpaca)
            #expect(try await service.export("alpaca", .alpacaArray) == Array(text.utf8))
            #expect(
                await service.code { _ = try await service.export("alpaca", .selfeeLines) }
                    == .failedPrecondition)
        }
    }

    @Test func `the same content is the same version, and the latest is what came last`()
        async throws
    {
        try await Harness.run { service in
            let first = try await service.importText(Rows.chain("a"), "x", .selfee)
            let second = try await service.importText(Rows.chain("b"), "x", .selfee)
            #expect(first.version != second.version)
            #expect(try await service.list().map(\.version) == [second.version])
            let again = try await service.importText(Rows.chain("a"), "x", .selfee)
            #expect(again == first)
            #expect(try await service.list().map(\.version) == [first.version])
            let all = try await service.list(all: true)
            #expect(all.map(\.version) == [first.version, second.version])
            let short = String(second.version.prefix(10))
            let bytes = try await service.export("x", .lines, version: short)
            #expect(bytes == Array("\(Rows.chain("b"))\n".utf8))
        }
    }

    @Test func `refused rows are counted and kept with their reasons`() async throws {
        try await Harness.run { service in
            let text = "\(Rows.chain("a"))\n{broken\n{\"instruction\": \"no outputs\"}\n"
            _ = try await service.importText(text, "x", .selfee)
            let statistics = try await service.stats("x")
            #expect(statistics.rejected == ["invalid JSON": 1, "row of the wrong shape": 1])
            let (artifact, bytes) = try await service.read(
                statistics.rejectedRows?.hash ?? "")
            #expect(artifact.mediaType == "application/jsonl")
            let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            #expect(rows.count == 2)
            let row = try JSON(parsing: String(rows.first ?? ""))
            #expect(row["line"] == 2)
            #expect(row["row"] == "{broken")
        }
    }

    @Test func `what cannot be imported is refused with a reason`() async throws {
        try await Harness.run { service in
            let chain = Rows.chain("a")
            func code(
                _ text: String, _ name: String, _ format: DatasetFormat,
                _ adjust: (inout ImportHeader) -> Void = { _ in }
            ) async -> Status.Code? {
                await service.code {
                    _ = try await service.importText(text, name, format, adjust)
                }
            }
            #expect(await code(chain, "", .selfee) == .invalidArgument)
            #expect(await code(chain, "a@b", .selfee) == .invalidArgument)
            #expect(await code(chain, "x", .unspecified) == .invalidArgument)
            #expect(await code("", "x", .selfee) == .invalidArgument)
            #expect(await code("[\(chain)", "x", .selfee) == .invalidArgument)
            #expect(await code(chain, "x", .gsm8k) == .invalidArgument)
            #expect(
                await code(chain, "x", .selfee) { $0.options["pair"] = "none" } == .invalidArgument)
            #expect(await code(chain, "x", .selfee) { $0.options["y"] = "" } == .invalidArgument)
            let listed = try await service.list()
            #expect(listed.isEmpty)
            #expect(
                await service.code { _ = try await service.stats("x") } == .notFound)
        }
    }

    @Test func `a merge labels as the original and says where records came from`() async throws {
        try await Harness.run { service in
            _ = try await service.importText(Rows.chain("a"), "feedback_dr_repair", .selfee)
            _ = try await service.importText(Rows.chain("b"), "plain", .selfee) {
                $0.label = "own"
            }
            var request = MergeRequest()
            request.name = "all"
            for name in ["plain", "feedback_dr_repair", "plain"] {
                var input = MergeInput()
                input.dataset.name = name
                request.inputs.append(input)
            }
            request.inputs[2].label = "given"
            let merged = try await service.client.unary(DataAPI.merge, request)
            #expect(merged.examples == 3)
            let names = merged.parents.compactMap { $0.split(separator: "@").first }
            #expect(names == ["plain", "feedback_dr_repair", "plain"])
            #expect(
                try await service.stats("all").labels == ["own": 1, "repair": 1, "given": 1])
            let lines = String(
                decoding: try await service.export("all", .selfeeLines), as: UTF8.self
            ).split(separator: "\n")
            let expected = Rows.chain("a").dropLast() + ", \"dataset\": \"repair\"}"
            #expect(lines[1] == expected)
            let again = try await service.client.unary(DataAPI.merge, request)
            #expect(again == merged)
        }
    }

    @Test func `a split has the size asked for, loses nothing and repeats itself`() async throws {
        try await Harness.run { service in
            let rows = (0..<100).map { Rows.chain("number \($0)") }
            _ = try await service.importText(rows.joined(separator: "\n"), "all", .selfee)
            var request = SplitRequest()
            request.dataset.name = "all"
            request.fraction = 0.8
            request.seed = 7
            request.names = ["most", "few"]
            let first = try await service.client.unary(DataAPI.split, request)
            #expect(first.versions.map(\.examples) == [80, 20])
            let parts = try await service.export("most", .lines) + service.export("few", .lines)
            let found = String(decoding: parts, as: UTF8.self).split(separator: "\n").map(
                String.init)
            #expect(Set(found) == Set(rows))
            let second = try await service.client.unary(DataAPI.split, request)
            #expect(second.versions == first.versions)
            request.seed = 8
            let third = try await service.client.unary(DataAPI.split, request)
            #expect(third.versions.map(\.version) != first.versions.map(\.version))
            request.fraction = 0
            request.count = 101
            let wrong = request
            #expect(
                await service.code {
                    _ = try await service.client.unary(DataAPI.split, wrong)
                } == .invalidArgument)
        }
    }

    @Test(.enabled(if: SharedData.isPresent, "\(SharedData.reason)"))
    func `the real MBPP chains pass through with the published statistics`() async throws {
        let path = try SharedData.file(
            "data/selfee/augmentation/feedback_gpt_3.5_turbo_mbpp.jsonl"
        ).path
        let bytes = try FileReader.bytes(of: path)
        try await Harness.run { service in
            let name = "feedback_gpt_3.5_turbo_mbpp"
            let version = try await service.importBytes(bytes, name, .selfee)
            #expect(version.examples == 969)
            #expect(try await service.export(name, .selfeeLines) == bytes)
            let statistics = try await service.stats(name)
            #expect(statistics.iterations == [538, 408, 17, 2, 4])
            #expect(statistics.truncated == 4)
            #expect(statistics.notNeeded == 939)
            #expect(abs(statistics.meanIterations - 1.479) < 0.0005)
            #expect(statistics.measures["feedbacks"] == 1433)
            #expect(statistics.rejectedRows == nil)
        }
    }

    @Test func `every choice of a split is as likely as the others`() {
        var hits = [Int](repeating: 0, count: 10)
        for seed in 0..<4000 as Range<UInt64> {
            var choice = SplitChoice(total: 10, chosen: 3, seed: seed)
            let chosen = (0..<10).filter { _ in choice.takesNext() }
            #expect(chosen.count == 3)
            for index in chosen { hits[index] += 1 }
        }
        // 1,200 expected each; 29 is the standard deviation, and five of them the tolerance.
        #expect(hits.allSatisfy { abs($0 - 1200) < 145 })
    }
}
