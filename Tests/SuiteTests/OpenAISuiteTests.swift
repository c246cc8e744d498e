import Foundation
import TestKit
import Testing

/// The real `openai` package against the gateway and a real model, all of them processes.
@Suite(.serialized) struct OpenAISuiteTests {
    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: Programs.python != nil, "the Python packages are not installed"))
    func `the openai package is served by a real model`() throws {
        let rig = try Rig()
        try rig.up()
        if let given = try? SharedData.file("data/models/stories260K/hf").path {
            try rig.shell("hone load \(given)")
        } else {
            try rig.makeModel("tiny")
            try rig.shell("hone load tiny")
        }
        let script = SharedData.repository
            .appending(path: "Tests/Scripts/openai_suite.py").path
        let gateway = try #require(try rig.entry("gateway")["http"] as? String)
        let outcome = try Programs.run(try #require(Programs.python), [script, gateway])
        #expect(outcome.status == 0, Comment(rawValue: outcome.text))
        #expect(outcome.text.contains("all passed"))
    }
}
