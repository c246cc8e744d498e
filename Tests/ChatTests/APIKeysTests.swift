import Chat
import Foundation
import Testing

@Suite struct APIKeysTests {
    @Test(
        arguments: [
            ("a, b ,c", nil, ["a", "b", "c"]), (nil, "k\n", ["k"]), ("", "k", ["k"]),
            (nil, nil, []),
            (" ,", "k", ["k"]),
        ] as [(String?, String?, [String])])
    func `keys come from the original's environment`(
        _ many: String?, _ one: String?, _ keys: [String]
    ) throws {
        let values = ["OPENAI_API_KEYS": many, "OPENAI_API_KEY": one]
        #expect(try APIKeys.read { values[$0] ?? nil } == keys)
    }

    @Test func `keys come from files, one or many, and an empty file is no key`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ text: String) throws -> String {
            let path = folder.appending(path: UUID().uuidString)
            try Data(text.utf8).write(to: path)
            return path.path
        }
        func keys(_ values: [String: String]) throws -> [String] {
            try APIKeys.read { values[$0] }
        }
        #expect(try keys(["OPENAI_API_KEY_FILE": file("sk-one\n")]) == ["sk-one"])
        #expect(try keys(["OPENAI_API_KEYS_FILE": file("a\nb,c\n")]) == ["a", "b", "c"])
        #expect(try keys(["OPENAI_API_KEY_FILE": file("")]).isEmpty)
        #expect(try keys(["OPENAI_API_KEY_FILE": "/dev/null"]).isEmpty)
        #expect(
            try keys(["OPENAI_API_KEY_FILE": file("one"), "OPENAI_API_KEYS_FILE": file("")])
                == ["one"])
        #expect(
            try keys(["OPENAI_API_KEY": "own", "OPENAI_API_KEYS_FILE": file("other")]) == ["own"])
        let missing = folder.path + "/missing"
        #expect {
            try keys(["OPENAI_API_KEY_FILE": missing])
        } throws: { error in
            "\(error)".contains("OPENAI_API_KEY_FILE") && "\(error)".contains(missing)
        }
    }
}
