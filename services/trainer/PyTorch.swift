// Process is not in FoundationEssentials.
import Foundation
import ServiceKit

/// PyTorch on this machine, for measuring beside it.
struct PyTorch {
    static let usualFolder = "/var/tmp/hone-venv"
    private static let scriptPath = "Tests/Benchmarks/train_pytorch.py"

    let python: String
    let script: String

    enum Search {
        case found(PyTorch)
        /// What there is not.
        case missing(String)
    }

    static func find() throws -> Search {
        let folder = HoneEnvironment.process["VENV"] ?? usualFolder
        let python = folder + "/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            return .missing("there is no \(python); name a virtual environment by HONE_VENV")
        }
        guard let script = try script() else {
            return .missing("there is no \(scriptPath) above the executable or the current folder")
        }
        let probe = try run(python, ["-c", "import torch, transformers"])
        guard probe.status == 0 else {
            return .missing("\(python) has no torch or no transformers")
        }
        return .found(PyTorch(python: python, script: script))
    }

    func tokensPerSecond(_ model: String, threads: Int, seconds: Double) throws -> Double {
        struct Line: Decodable { var tokensPerSecond: Double }
        let (status, output) = try Self.run(
            python,
            [
                script, "--models", model, "--threads", "\(threads)", "--seconds", "\(seconds)",
            ])
        guard status == 0 else {
            throw CommandFailure("\(script) failed with status \(status); its errors stand above")
        }
        return try JSONDecoder().decode(Line.self, from: output).tokensPerSecond
    }

    /// The script in the repository the executable was built in, or in the current folder's.
    private static func script() throws -> String? {
        let places = [try Executables.folder(), FileManager.default.currentDirectoryPath]
        for place in places {
            var folder = URL(filePath: place, directoryHint: .isDirectory).standardizedFileURL
            while folder.path != "/" {
                let script = folder.appending(path: scriptPath).path
                if FileManager.default.fileExists(atPath: script) { return script }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }

    private static func run(
        _ program: String, _ arguments: [String]
    ) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }
}
