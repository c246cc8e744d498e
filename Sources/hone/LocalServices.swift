import Foundation
import ServiceKit

/// All services on this machine, each a process with its own folder below one data directory.
///
/// ```
/// DIRECTORY/NAME/               what the service keeps
/// DIRECTORY/logs/NAME.log       what it says
/// DIRECTORY/run/services.json   where each one serves, and its process id
/// ```
struct LocalServices: Sendable {
    /// A service that was started.
    struct Entry: Codable, Sendable, Equatable {
        var pid: Int32
        /// Where its calls go.
        var address: String
        /// Its HTTP address, where it has one.
        var http: String?
    }

    /// How many and with what.
    struct Plan: Sendable {
        var replicas = 2
        /// 0 takes a free one.
        var httpPort = 7400
        /// Flags for every service: TLS, the log's level.
        var common: [String] = []
        /// Further flags by service.
        var extra: [String: [String]] = [:]
    }

    let directory: String

    /// How long a service may take to say that it serves.
    private static let startLimit = Duration.seconds(60)
    /// How long a service may take to end before it is killed.
    private static let endLimit = Duration.seconds(15)

    private var runFolder: String { directory + "/run" }
    private var table: String { runFolder + "/services.json" }

    init(directory: String) {
        self.directory = URL(filePath: directory).standardizedFileURL.path
    }

    /// The services that were started, by name; empty if none.
    func entries() throws -> [String: Entry] {
        guard FileManager.default.fileExists(atPath: table) else { return [:] }
        return try JSONDecoder().decode(
            [String: Entry].self, from: Data(contentsOf: URL(filePath: table)))
    }

    /// Whether a process is the service it is said to be: alive, and run from an executable of Hone.
    static func isAlive(_ entry: Entry) -> Bool {
        guard kill(entry.pid, 0) == 0 else { return false }
        let name = try? String(contentsOfFile: "/proc/\(entry.pid)/comm", encoding: .utf8)
        return name?.hasPrefix("hone-") == true
    }

    /// Starts what does not run; what runs stays.
    func start(_ plan: Plan, told: (String) -> Void = { _ in }) async throws {
        for folder in [runFolder, directory + "/logs"] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
        // A service that died comes back where it was: those that call it know no other place.
        let former = try entries()
        var running = former.filter { Self.isAlive($0.value) }
        try write(running)
        for layer in Self.layers(plan) {
            var begun: [(name: String, process: Process)] = []
            for (name, service) in layer where running[name] == nil {
                let flags = Self.flags(of: service, plan, running, former[name])
                let address = former[name]?.address ?? "127.0.0.1:0"
                begun.append((name, try launch(name, service, address, flags + plan.common)))
            }
            for (name, process) in begun {
                running[name] = try await ready(name, process)
                try write(running)
                told(name)
            }
        }
    }

    /// Ends every service, the ones that call first; kills what does not end in time.
    func stop(told: (String) -> Void = { _ in }) async throws {
        var running = try entries()
        let order = running.keys.sorted { Self.rank($0) > Self.rank($1) }
        for name in order {
            guard let entry = running[name] else { continue }
            if Self.isAlive(entry) {
                kill(entry.pid, SIGTERM)
                let deadline = ContinuousClock.now + Self.endLimit
                while Self.isAlive(entry), ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(20))
                }
                if Self.isAlive(entry) { kill(entry.pid, SIGKILL) }
            }
            running[name] = nil
            try write(running)
            told(name)
        }
    }

    /// What can start at the same time, in the order of who needs whom.
    private static func layers(_ plan: Plan) -> [[(name: String, service: ServiceName)]] {
        let replicas = (1...max(1, plan.replicas)).map {
            ("inference-\($0)", ServiceName.inference)
        }
        return [
            [("data", .data), ("tutor", .tutor)],
            [("augmentation", .augmentation), ("trainer", .trainer), ("evaluator", .evaluator)]
                + replicas,
            [("gateway", .gateway)],
        ]
    }

    private static func rank(_ name: String) -> Int {
        switch name {
        case "gateway": 2
        case "data", "tutor": 0
        default: 1
        }
    }

    private static func flags(
        of service: ServiceName, _ plan: Plan, _ running: [String: Entry], _ former: Entry?
    ) -> [String] {
        var flags: [String] = []
        func connect(_ other: ServiceName, _ address: String?) {
            if let address { flags += [other.flag, address] }
        }
        if service != .data, service != .tutor { connect(.data, running["data"]?.address) }
        if service == .gateway {
            for other in [ServiceName.augmentation, .trainer, .evaluator] {
                connect(other, running[other.rawValue]?.address)
            }
            let replicas = running.filter { $0.key.hasPrefix("inference-") }
                .sorted { $0.key < $1.key }.map(\.value.address)
            connect(.inference, replicas.joined(separator: ","))
            let place = plan.httpPort == 0 ? former?.http?.split(separator: "/").last : nil
            flags += ["--http-listen", place.map(String.init) ?? "127.0.0.1:\(plan.httpPort)"]
        }
        return flags + (plan.extra[service.rawValue] ?? [])
    }

    private func launch(
        _ name: String, _ service: ServiceName, _ address: String, _ flags: [String]
    ) throws -> Process {
        guard let path = try Executables.path(of: service.executable) else {
            throw CommandFailure(
                "\(service.executable) does not lie in \(try Executables.folder()); build it")
        }
        let readyFile = "\(runFolder)/\(name).json"
        if FileManager.default.fileExists(atPath: readyFile) {
            try FileManager.default.removeItem(atPath: readyFile)
        }
        let log = "\(directory)/logs/\(name).log"
        if !FileManager.default.fileExists(atPath: log) {
            try Data().write(to: URL(filePath: log))
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        try handle.seekToEnd()
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments =
            [
                "serve", "--listen", address, "--data-directory", "\(directory)/\(name)",
                "--ready-file", readyFile,
            ] + flags
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        return process
    }

    private func ready(_ name: String, _ process: Process) async throws -> Entry {
        let deadline = ContinuousClock.now + Self.startLimit
        while ContinuousClock.now < deadline {
            if let ready = try ReadyFile.read(from: "\(runFolder)/\(name).json") {
                return Entry(
                    pid: process.processIdentifier, address: ready.address, http: ready.http)
            }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let log = "\(directory)/logs/\(name).log"
        let lines =
            (try? String(contentsOfFile: log, encoding: .utf8))?
            .split(separator: "\n").suffix(3).joined(separator: "\n") ?? ""
        throw CommandFailure("\(name) did not start; its log \(log) ends with:\n\(lines)")
    }

    private func write(_ entries: [String: Entry]) throws {
        try Data((try JSONOutput.text(entries) + "\n").utf8)
            .write(to: URL(filePath: table), options: .atomic)
    }
}
