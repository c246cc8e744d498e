import Corpus
import Foundation
import Glibc
import RPC
import Schema
import ServiceKit
import Testing

/// The service as a process of its own, killed without warning.
@Suite struct KillTests {
    private final class Running {
        let process: Process
        let address: String

        init(folder: String) async throws {
            guard let path = try Executables.path(of: "hone-data") else {
                throw CommandFailure("hone-data was not built beside the tests")
            }
            let ready = folder + "/ready-\(UUID().uuidString).json"
            process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = [
                "serve", "--listen", "127.0.0.1:0", "--data-directory", folder + "/data",
                "--ready-file", ready, "--log-level", "error",
            ]
            try process.run()
            let patience = ContinuousClock.now + .seconds(60)
            while true {
                if let found = try ReadyFile.read(from: ready) {
                    address = found.address
                    return
                }
                guard process.isRunning, ContinuousClock.now < patience else {
                    throw CommandFailure("hone-data did not begin to serve")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        func end(_ signal: Int32) {
            kill(process.processIdentifier, signal)
            process.waitUntilExit()
        }

        func call(_ body: (Harness) async throws -> Void) async throws {
            let client = Client(try Target(parsing: address))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                defer { group.cancelAll() }
                try await body(Harness(client: client, folder: ""))
            }
        }
    }

    @Test func `a kill in the middle of an import loses nothing that was finished`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "hone-kill-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try await Running(folder: folder)
        var finished = DatasetVersion()
        try await first.call { service in
            finished = try await service.importText(Rows.chain("a"), "finished", .selfee)
            let identifier = first.process.processIdentifier
            let code = await service.code {
                _ = try await service.client.clientStreaming(DataAPI.importDataset) { requests in
                    var header = ImportHeader()
                    header.name = "cut"
                    header.format = .selfee
                    var request = ImportRequest()
                    request.header = header
                    request.data = Array((Rows.chain("b") + "\n").utf8)
                    try await requests.write(request)
                    kill(identifier, SIGKILL)
                }
            }
            #expect(code == .unavailable)
        }
        first.end(SIGKILL)
        let second = try await Running(folder: folder)
        try await second.call { service in
            #expect(try await service.list() == [finished])
            let bytes = try await service.export("finished", .lines)
            #expect(bytes == Array((Rows.chain("a") + "\n").utf8))
            let again = try await service.importText(Rows.chain("a"), "finished", .selfee)
            #expect(again == finished)
            _ = try await service.importText(Rows.chain("b"), "cut", .selfee)
            #expect(try await service.list().count == 2)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/data/temporary")
        #expect(left.isEmpty)
        second.end(SIGTERM)
        #expect(second.process.terminationStatus == 0)
    }
}
