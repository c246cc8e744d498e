import TestKit
import Testing

/// Flags that every service has, on a process.
@Suite(
    .enabled(if: Executable.path(of: "hone-data") != nil, "the services were not built"),
    .timeLimit(.minutes(5)))
struct ServiceFlagTests {
    @Test func `a service answers at its socket, too, and so does a file of servers`() async throws
    {
        let folder = try TemporaryFolder()
        let socket = folder.path + "/s"
        let data = try await ServiceProcess("hone-data", in: folder, ["--listen-socket", socket])
        for place in ["unix:" + socket, data.address] {
            let list = try await Executable.run(
                "hone", ["data", "list", "--json", "--data-service", place])
            #expect(list.status == 0, "\(list.errors)")
        }
        _ = try folder.write("# at its socket\nunix:\(socket)\n", "servers")
        let found = try await Executable.run(
            "hone", ["data", "list", "--json", "--data-service", "file:\(folder.path)/servers"])
        #expect(found.status == 0, "\(found.errors)")
        let metrics = try await Executable.run(
            "hone", ["metrics", "data", "--data-service", "file:\(folder.path)/servers"])
        #expect(metrics.text.contains("instance=\"unix:\(socket)\""), "\(metrics.errors)")
        #expect(data.end() == 0)
    }
}
