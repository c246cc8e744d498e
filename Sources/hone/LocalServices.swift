import Foundation
import ServiceKit

/// All services on this machine, each a process with its own folder below one data directory.
///
/// ```
/// DIRECTORY/NAME/               what the service keeps
/// DIRECTORY/logs/NAME.log       what it says
/// DIRECTORY/run/services.json   where each one serves, and its process id
/// DIRECTORY/run/replicas        where the gateway finds inference, a line each
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
    private var replicas: String { runFolder + "/replicas" }

    init(directory: String) {
        self.directory = URL(filePath: directory).standardizedFileURL.path
    }

    /// The services that were started, by name; empty if none.
    func entries() throws -> [String: Entry] {
        guard FileManager.default.fileExists(atPath: table) else { return [:] }
        do {
            return try JSONDecoder().decode(
                [String: Entry].self, from: Data(contentsOf: URL(filePath: table)))
        } catch {
            throw CommandFailure("\(table) cannot be read; is \(directory) a data directory?")
        }
    }

    /// Whether a process is the service it is said to be: alive, and run from an executable of Hone.
    static func isAlive(_ entry: Entry) -> Bool {
        ServiceLife(of: entry.pid) == .runs
    }

    /// Starts what does not run; what runs stays. Where one cannot start, those begun with it end.
    func start(_ plan: Plan, told: (String) -> Void = { _ in }) async throws {
        try makeFolders()
        let lock = try DirectoryLock(runFolder)
        defer { lock.release() }
        // A service that died comes back where it was: those that call it know no other place.
        let former = try entries()
        var running = former
        for (name, entry) in former where try await Self.settled(entry) == .gone {
            running[name] = nil
        }
        try write(running)
        var begun: [(name: String, process: Process)] = []
        do {
            for layer in Self.layers(plan) {
                let first = begun.count
                for (name, service) in layer where running[name] == nil {
                    let flags = flags(of: service, plan, running, former[name])
                    let address = former[name]?.address ?? "127.0.0.1:0"
                    let process = try launch(name, service, address, flags + plan.common)
                    begun.append((name, process))
                    // Known from its first moment on: whatever becomes of this command, hone down
                    // finds it.
                    running[name] = Entry(pid: process.processIdentifier, address: address)
                    try write(running)
                }
                for (name, process) in begun[first...] {
                    running[name] = try await ready(name, process)
                    try write(running)
                    told(name)
                }
            }
        } catch {
            try await end(begun, &running)
            throw error
        }
    }

    /// Ends every service, the ones that call first; kills what does not end in time.
    func stop(told: (String) -> Void = { _ in }) async throws {
        guard FileManager.default.fileExists(atPath: table) else { return }
        let lock = try DirectoryLock(runFolder)
        defer { lock.release() }
        var running = try entries()
        let order = running.keys.sorted { Self.rank($0) > Self.rank($1) }
        for name in order {
            guard let entry = running[name] else { continue }
            try await Self.end(entry)
            running[name] = nil
            try write(running)
            told(name)
        }
    }

    /// Asks a service to end, and kills it where it does not in time.
    private static func end(_ entry: Entry) async throws {
        guard ServiceLife(of: entry.pid) != .gone else { return }
        kill(entry.pid, SIGTERM)
        if try await settled(entry, runsToo: true) != .gone { kill(entry.pid, SIGKILL) }
    }

    /// Ends what a start that failed has begun, the last first.
    private func end(
        _ begun: [(name: String, process: Process)], _ running: inout [String: Entry]
    ) async throws {
        for (name, _) in begun.reversed() {
            guard let entry = running[name] else { continue }
            try await Self.end(entry)
            running[name] = nil
            try write(running)
        }
    }

    /// Waits for the end of a process that is about to end, as one that was just killed.
    ///
    /// - Parameter runsToo: whether one that runs is waited for as well.
    private static func settled(
        _ entry: Entry, runsToo: Bool = false
    ) async throws -> ServiceLife {
        let deadline = ContinuousClock.now + endLimit
        while true {
            let life = ServiceLife(of: entry.pid)
            if life == .gone || (life == .runs && !runsToo) || ContinuousClock.now > deadline {
                return life
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func makeFolders() throws {
        for folder in [runFolder, directory + "/logs"] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw CommandFailure(
                    "\(directory) cannot be made or written; give another --data-directory")
            }
        }
    }

    /// What can start at the same time, in the order of who needs whom.
    private static func layers(_ plan: Plan) -> [[(name: String, service: ServiceName)]] {
        let replicas = (1...plan.replicas).map {
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

    private func flags(
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
            // Those that are added later stand there, too.
            connect(.inference, "file:\(replicas)")
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
        // One that is about to start has no port yet.
        let addresses = entries.filter { name, entry in
            name.hasPrefix("inference-") && !entry.address.hasSuffix(":0")
        }
        let lines = addresses.sorted { $0.key < $1.key }.map { $0.value.address + "\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: replicas), options: .atomic)
    }
}
