import Foundation
import Glibc

/// The scripted chat endpoint `Tests/Scripts/teacher.py`, as a process that ends with this object.
///
/// What it answers is said by the request's model; see the script.
public final class ScriptedTeacher {
    private let process = Process()
    private let input = Pipe()
    private let folder: URL
    public let port: Int

    /// Whether the machine has what the script needs.
    public static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
    public static let reason = "python3 is not there"

    public init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "hone-teacher-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let ready = folder.appending(path: "port")
        process.executableURL = URL(filePath: "/usr/bin/python3")
        var arguments = [
            SharedData.repository.appending(path: "Tests/Scripts/teacher.py").path, ready.path,
            folder.appending(path: "log").path,
        ]
        if SharedData.isPresent {
            arguments.append(try SharedData.file("spec/golden-augmentation.json").path)
        }
        process.arguments = arguments
        process.standardInput = input
        try process.run()
        let deadline = Date(timeIntervalSinceNow: 30)
        while !FileManager.default.fileExists(atPath: ready.path) {
            guard Date() < deadline, process.isRunning else { throw NotReady() }
            usleep(5_000)
        }
        port = Int(try String(contentsOf: ready, encoding: .utf8)) ?? 0
    }

    deinit {
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print("could not remove \(folder.path): \(error)")
        }
    }

    public var endpoint: String { "http://127.0.0.1:\(port)" }

    /// Every request so far, in order.
    public func requests() throws -> [Request] {
        let data = try Data(contentsOf: folder.appending(path: "log"))
        return try data.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Request.self, from: Data($0))
        }
    }

    public struct Request: Decodable, Sendable {
        public struct Body: Decodable, Sendable {
            public var model: String
            public var messages: [Message]
            public var max_tokens: Int?
            public var temperature: Double?
        }
        public struct Message: Decodable, Sendable, Hashable {
            public var role: String
            public var content: String
        }
        public var path: String
        public var key: String
        /// Seconds on the server's steady clock.
        public var time: Double
        public var body: Body
    }

    public struct NotReady: Error {}
}
