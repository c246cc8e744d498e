import Foundation
import TestKit
import Testing

/// What the README tells people to type works as it stands there.
///
/// Its commands run in a folder with small files of the names it uses; only addresses are put in the
/// place of those a test cannot have.
@Suite(.serialized) struct ReadmeTests {
    /// Blocks of other tests' business, or of machines with more than this one.
    private static let left = ["Two commands", "Measuring", "Containers"]

    private struct Block {
        var heading: String
        var script: String
    }

    /// The blocks of commands, in order, each under its heading.
    private static func blocks() throws -> [Block] {
        let readme = SharedData.repository.appending(path: "README.md")
        var blocks: [Block] = []
        var (heading, isInside) = ("", false)
        for line in try String(contentsOf: readme, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("#"), !isInside {
                heading = String(line.drop { $0 == "#" || $0 == " " })
            }
            if line == "```console" {
                blocks.append(Block(heading: heading, script: ""))
                isInside = true
            } else if line == "```" {
                isInside = false
            } else if isInside {
                let command = line.hasPrefix("$ ") ? line.dropFirst(2) : line
                blocks[blocks.count - 1].script += command + "\n"
            }
        }
        return blocks
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `the commands of the README work`() throws {
        let rig = try Rig()
        let blocks = try Self.blocks()
        #expect(Set(Self.left).isSubset(of: blocks.map(\.heading)))
        #expect(blocks.count > Self.left.count + 5)
        for block in blocks where !Self.left.contains(block.heading) {
            try rig.shell(Self.fitted(block.script, rig))
            if block.heading == "All services on this machine" { try rig.makeFiles() }
        }
        try rig.shell("hone down --data-directory ~/.hone")
        #expect(!FileManager.default.fileExists(atPath: rig.folder.path + "/merged.json.part"))
        let merged = try JSONSerialization.jsonObject(
            with: Data(contentsOf: rig.folder.appending(path: "merged.json")))
        #expect((merged as? [Any])?.count == 8)
    }

    /// A block with the addresses of this run.
    private static func fitted(_ script: String, _ rig: Rig) throws -> String {
        var lines = script.split(separator: "\n").map(String.init)
        // The services stay until the last block has run.
        lines.removeAll { $0 == "./hone down" }
        if let place = lines.firstIndex(where: { $0.contains("selfee.yaml") }) {
            if SharedData.isPresent {
                lines[place] += " --set steps=5 --set questions=2 --set tokens=8"
            } else {
                lines.remove(at: place)
            }
        }
        var text = lines.joined(separator: "\n")
        if let gateway = try? rig.entry("gateway"), let tutor = try? rig.entry("tutor") {
            text.replace("http://127.0.0.1:7400", with: gateway["http"] as? String ?? "")
            text.replace(
                "https://api.openai.com", with: tutor["http"] as? String ?? "")
        }
        text.replace(
            "up --data-directory ~/.hone", with: "up --data-directory ~/.hone --http-port 0")
        for model in ["gpt-4o-mini", "gpt-4"] {
            text.replace("--model " + model, with: "--model tutor")
        }
        text.replace("OPENAI_API_KEY=…", with: "OPENAI_API_KEY=none")
        text.replace("../shared", with: SharedData.folder?.path ?? "")
        text.replace("services/gateway/", with: SharedData.repository.path + "/services/gateway/")
        text.replace("./hone", with: "hone")
        return text
    }
}
