// FileManager.default is not in FoundationEssentials on every system.
import Foundation
import ServiceKit

/// The other runtimes that this machine has, built from the sources beside the benchmarks.
struct BenchPeers {
    let folder: BenchFolder
    var systems: [BenchSystem] = []
    /// What could not be measured, and why.
    var missing: [String] = []

    private static let sources = "Tests/Benchmarks/rpc"

    init(folder: BenchFolder) {
        self.folder = folder
    }

    mutating func find() throws {
        if let sources = try Self.sourcesFolder() {
            addGo(sources)
            addCPP(sources)
        } else {
            missing.append(
                "gRPC Go and C++: there is no \(Self.sources) above the executable or the current "
                    + "folder")
        }
        if let nghttpd = BenchTool.path(of: "nghttpd") {
            systems.append(
                BenchSystem(
                    name: "nghttpd", kind: .files,
                    serve: [nghttpd, "-a", "127.0.0.1", "-n", "1", "-d", folder.path], load: nil))
        } else {
            missing.append("nghttpd: install nghttp2-server")
        }
        if BenchTool.path(of: "h2load") == nil {
            missing.append("h2load: install nghttp2-client")
        }
    }

    private mutating func addGo(_ sources: String) {
        guard let go = BenchTool.path(of: "go") else {
            return missing.append("gRPC Go: install golang-go golang-google-grpc-dev")
        }
        let cache = Self.cache + "/go"
        add("gRPC Go", "install golang-google-grpc-dev") { program in
            _ = try BenchTool.run(
                go, ["build", "-o", program, sources + "/grpc_go.go"],
                environment: [
                    "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
                    "GOCACHE": cache,
                ])
        }
    }

    private mutating func addCPP(_ sources: String) {
        guard let compiler = BenchTool.path(of: "g++"),
            let pkgConfig = BenchTool.path(of: "pkg-config")
        else {
            return missing.append("gRPC C++: install g++ pkg-config libgrpc++-dev")
        }
        add("gRPC C++", "install libgrpc++-dev libprotobuf-dev") { program in
            let flags = try BenchTool.run(pkgConfig, ["--cflags", "--libs", "grpc++"])
                .split(whereSeparator: \.isWhitespace).map(String.init)
            _ = try BenchTool.run(
                compiler,
                ["-O2", "-std=c++17", "-o", program, sources + "/grpc_cpp.cc"] + flags)
        }
    }

    private mutating func add(
        _ name: String, _ advice: String, _ build: (String) throws -> Void
    ) {
        let program = Self.cache + "/" + name.replacing(" ", with: "-")
        do {
            if try Self.isStale(program) {
                try FileManager.default.createDirectory(
                    atPath: Self.cache, withIntermediateDirectories: true)
                try build(program)
            }
            systems.append(
                BenchSystem(
                    name: name, kind: .calls, serve: [program, "serve"], load: [program, "load"]))
        } catch {
            let reason = "\(error)".split(separator: "\n").first ?? ""
            missing.append("\(name): it cannot be built (\(advice)): \(reason)")
        }
    }

    /// Where programs stay for the next run.
    private static let cache =
        (ProcessInfo.processInfo.environment["XDG_CACHE_HOME"]
            ?? NSHomeDirectory() + "/.cache") + "/hone/bench-rpc"

    /// Whether a program is not there, or older than its sources.
    private static func isStale(_ program: String) throws -> Bool {
        guard let sources = try sourcesFolder(),
            let built = try? FileManager.default.attributesOfItem(atPath: program)[
                .modificationDate] as? Date
        else { return true }
        return try FileManager.default.contentsOfDirectory(atPath: sources).contains { name in
            let file = try FileManager.default.attributesOfItem(atPath: sources + "/" + name)
            return (file[.modificationDate] as? Date).map { $0 > built } ?? true
        }
    }

    /// The sources in the repository the executable was built in, or in the current folder's.
    static func sourcesFolder() throws -> String? {
        let places = [try Executables.folder(), FileManager.default.currentDirectoryPath]
        for place in places {
            var folder = URL(filePath: place, directoryHint: .isDirectory).standardizedFileURL
            while folder.path != "/" {
                let sources = folder.appending(path: Self.sources).path
                if FileManager.default.fileExists(atPath: sources) { return sources }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }
}
