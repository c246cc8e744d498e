import Foundation
import Glibc

/// The scripted chat endpoint `Tests/Scripts/teacher.py`: one process for all tests of a run.
///
/// What it answers is said by the request's model; see the script. Each instance is a test's own
/// view: it adds a tag to the models, and sees the requests with that tag alone.
public struct ScriptedTeacher: Sendable {
    /// Whether the machine has what the script needs.
    public static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
    public static let reason = "python3 is not there"

    private let server: Server
    private let tag = "~" + UUID().uuidString

    public init() throws {
        server = try Server.shared.get()
    }

    public var endpoint: String { "http://127.0.0.1:\(server.port)" }

    /// The name of a model that behaves so, for this instance.
    public func model(_ behaviours: String) -> String { behaviours + tag }

    /// Every request so far to this instance's models, in order.
    public func requests() throws -> [Request] {
        guard FileManager.default.fileExists(atPath: server.log) else { return [] }
        let log = try Data(contentsOf: URL(filePath: server.log))
        // The server may be in the middle of a line.
        let lines = log[..<(log.lastIndex(of: 10) ?? log.startIndex)].split(separator: 10)
        let tag = Data(tag.utf8)
        return try lines.filter { $0.range(of: tag) != nil }.map {
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

    /// The process; it ends when this process does, since its standard input ends then.
    private struct Server: Sendable {
        static let shared = Result { try Server() }

        let port: Int
        let log: String
        private let input: FileHandle

        private init() throws {
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "hone-teacher-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
            let ready = folder.appending(path: "port").path
            log = folder.appending(path: "log").path
            var arguments = [
                SharedData.repository.appending(path: "Tests/Scripts/teacher.py").path, ready, log,
            ]
            if SharedData.isPresent {
                arguments.append(try SharedData.file("spec/golden-augmentation.json").path)
            }
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: "/usr/bin/python3")
            process.arguments = arguments
            process.standardInput = pipe
            try process.run()
            input = pipe.fileHandleForWriting
            let deadline = Date(timeIntervalSinceNow: 60)
            while !FileManager.default.fileExists(atPath: ready) {
                guard Date() < deadline, process.isRunning else { throw NotReady() }
                usleep(5_000)
            }
            port = Int(try String(contentsOfFile: ready, encoding: .utf8)) ?? 0
        }
    }
}
