import Foundation
import TestKit
import Testing

/// Every command explains itself alike.
@Suite struct HelpTests {
    /// The names below SUBCOMMANDS of a help text.
    private func subcommands(_ help: String) -> [String] {
        guard let start = help.range(of: "SUBCOMMANDS:\n") else { return [] }
        return help[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { !$0.isEmpty }
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    /// Checks a command and those below it.
    ///
    /// - Returns: how many there are.
    private func check(_ program: URL, _ path: [String]) throws -> Int {
        let name = ([program.lastPathComponent] + path).joined(separator: " ")
        let help = try Programs.run(program, path + ["--help"])
        #expect(help.status == 0, "\(name) --help")
        #expect(help.text.contains("Example:"), "\(name) --help has no example")
        // What is measured where it is linked goes by the name of all measuring.
        let shown = path.first == "bench" ? "hone bench" : name
        #expect(help.text.contains("USAGE: \(shown)"), "\(name) --help: \(help.text)")
        let wrong = try Programs.run(program, path + ["--no-such-flag"])
        #expect(wrong.status == 64, "\(name) --no-such-flag ended with \(wrong.status)")
        return try 1 + subcommands(help.text).map { try check(program, path + [$0]) }.reduce(0, +)
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `every verb of hone has help with an example, and refuses what it does not know`() throws {
        let count = try check(#require(Programs.path), [])
        #expect(count > 30)
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        arguments: [
            "data", "augmentation", "trainer", "inference", "evaluator", "gateway", "tutor",
        ])
    func `every service has help with an example`(service: String) throws {
        let program = try #require(Programs.sibling("hone-" + service))
        for path in [[], ["serve"]] {
            let help = try Programs.run(program, path + ["--help"])
            #expect(help.status == 0)
            #expect(help.text.contains("Example:"), "hone-\(service) \(path)")
            #expect(try Programs.run(program, path + ["--no-such-flag"]).status == 64)
        }
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        arguments: [
            ["up", "--replicas", "0"], ["up", "--http-port", "99999"],
            ["demo", "--replicas", "-1"],
            ["workflow", "run", "x.yaml", "--set", "y"], ["data", "list", "--limit", "many"],
        ])
    func `settings that cannot be end with 64 before anything starts`(arguments: [String]) throws {
        let outcome = try Programs.hone(arguments)
        #expect(outcome.status == 64, Comment(rawValue: outcome.text))
        #expect(!outcome.text.contains("started"))
    }
}
