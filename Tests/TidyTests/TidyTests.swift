import Foundation
import TestKit
import Testing

/// What the compiler cannot hold: fences, sizes, words and format.
@Suite struct TidyTests {
    @Test func `the sources are formatted`() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.currentDirectoryURL = SharedData.repository
        process.arguments =
            ["swift", "format", "lint", "--strict", "--parallel", "--recursive"]
            + ["Package.swift", "Sources", "services", "Tests"]
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(
            process.terminationStatus == 0,
            Comment(rawValue: String(decoding: said.prefix(4000), as: UTF8.self)))
    }

    @Test func `every C library is imported by the one module that fences it`() throws {
        let owners: [String: Set<String>] = [
            "CNghttp2": ["HTTP2"], "COpenSSL": ["TLS"], "COpenBLAS": ["Tensors"],
            "CKernels": ["Tensors"], "CZlib": ["Gzip"], "CCurl": ["Chat"], "CLibXML2": ["Corpus"],
            "CLD2": ["Corpus"],
        ]
        for file in try Tree.swiftFiles(below: ["Sources", "services"]) {
            for line in file.lines {
                let words = line.split(separator: " ")
                guard words.contains("import"), let module = words.last.map(String.init),
                    let allowed = owners[module]
                else { continue }
                #expect(allowed.contains(file.module), "\(file.path) imports \(module)")
            }
        }
    }

    @Test func `only fenced modules say unsafe`() throws {
        let fenced: Set = ["HTTP2", "TLS", "Gzip", "Tensors", "Chat", "Corpus", "Llama"]
        for file in try Tree.swiftFiles(below: ["Sources", "services"])
        where !fenced.contains(file.module) && !Tree.mayBeUnsafe.contains(file.name) {
            for (index, line) in file.lines.enumerated() where !line.contains("//") {
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                #expect(!words.contains("unsafe"), "\(file.path):\(index + 1) says unsafe")
            }
        }
    }

    @Test func `files and lines stay short enough to be read`() throws {
        for file in try Tree.swiftFiles(below: ["Sources", "services", "Tests"]) {
            #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func `nothing promises to be written later`() throws {
        let promises = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "not yet " + "implemented"]
        for file in try Tree.swiftFiles(below: ["Sources", "services", "Tests"]) {
            for (index, line) in file.lines.enumerated() {
                for promise in promises where line.contains(promise) {
                    Issue.record("\(file.path):\(index + 1) says \(promise)")
                }
            }
        }
    }

    @Test func `bad input never meets a forced unwrap or cast`() throws {
        let forced = ["try" + "!", "as" + "! ", "fatal" + "Error("]
        for file in try Tree.swiftFiles(below: ["Sources", "services"]) {
            for (index, line) in file.lines.enumerated() {
                for word in forced where line.contains(word) {
                    Issue.record("\(file.path):\(index + 1) says \(word)")
                }
            }
        }
    }

    @Test func `services do not import each other, nor the engine meet the wire`() throws {
        let engine: Set = ["Tensors", "Llama", "Tokenization", "Generation", "Training"]
        let communication: Set = ["Wire", "HTTP2", "TLS", "RPC", "Schema", "ServiceKit"]
        for file in try Tree.swiftFiles(below: ["Sources", "services"]) {
            for line in file.lines {
                let words = line.split(separator: " ").map(String.init)
                guard words.contains("import"), let module = words.last else { continue }
                #expect(!module.hasSuffix("Service"), "\(file.path) imports \(module)")
                if engine.contains(file.module) {
                    #expect(!communication.contains(module), "\(file.path) imports \(module)")
                }
                if communication.contains(file.module) {
                    #expect(!engine.contains(module), "\(file.path) imports \(module)")
                }
            }
        }
    }

    @Test func `a target imports only what the package's map declares for it`() throws {
        let map = try PackageMap()
        #expect(map.targets.count > 30)
        for file in try Tree.swiftFiles(below: ["Sources", "services", "Tests"]) {
            let target = map.target(of: file.path)
            let declared = try #require(map.targets[target], "\(file.path): no target \(target)")
            for line in file.lines {
                guard let module = PackageMap.imported(by: line) else { continue }
                let isDeclared = declared.contains(module) || PackageMap.system.contains(module)
                #expect(isDeclared, "\(file.path) imports \(module), undeclared for \(target)")
            }
        }
    }

    @Test func `functions stay short enough to be read`() throws {
        for file in try Tree.swiftFiles(below: ["Sources", "services"]) {
            for (name, count) in file.functions where count > 62 {
                Issue.record("\(file.path): \(name) has \(count) lines")
            }
        }
    }

    @Test func `every service says what it owns and how it fails`() throws {
        let services = SharedData.repository.appending(path: "services")
        for name in try FileManager.default.contentsOfDirectory(atPath: services.path)
        where !name.contains(".") {
            let readme = services.appending(path: "\(name)/README.md")
            let text = try String(contentsOf: readme, encoding: .utf8)
            #expect(text.count > 400, "services/\(name)/README.md says too little")
        }
    }
}
