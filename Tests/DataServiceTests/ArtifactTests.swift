import Corpus
import DataService
import FoundationEssentials
import RPC
import Schema
import TestKit
import Testing

@Suite struct ArtifactTests {
    @Test(arguments: [0, 1, 262_144, 1_000_003])
    func `bytes come back by their hash, from any place on`(count: Int) async throws {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        try await Harness.run { service in
            let artifact = try await service.write(bytes, mediaType: "application/x")
            #expect(artifact.hash == SHA256.hexadecimal(of: bytes))
            #expect(artifact.bytes == count)
            let (found, read) = try await service.read(artifact.hash)
            #expect(read == bytes)
            #expect(found == artifact)
            #expect(
                try await service.read(artifact.hash, from: count / 2).1
                    == Array(bytes[(count / 2)...]))
            let again = try await service.write(bytes, hash: artifact.hash, piece: 77_777)
            #expect(again == artifact)
        }
    }

    @Test func `bytes other than announced are refused and leave nothing`() async throws {
        try await Harness.run { service in
            let wrong = String(repeating: "0", count: 64)
            #expect(
                await service.code { _ = try await service.write([1, 2, 3], hash: wrong) }
                    == .invalidArgument)
            #expect(await service.code { _ = try await service.read(wrong) } == .notFound)
            #expect(
                await service.code { _ = try await service.read("../../etc") } == .invalidArgument)
            let code = await service.code {
                _ = try await service.client.clientStreaming(DataAPI.writeArtifact) { requests in
                    var chunk = ArtifactChunk()
                    chunk.data = [1]
                    try await requests.write(chunk)
                    chunk.offset = 5
                    try await requests.write(chunk)
                }
            }
            #expect(code == .invalidArgument)
            let artifact = try await service.write([1, 2, 3])
            #expect(
                await service.code { _ = try await service.read(artifact.hash, from: 4) }
                    == .outOfRange)
            let left = try FileManager.default.contentsOfDirectory(
                atPath: service.folder + "/temporary")
            #expect(left.isEmpty)
        }
    }

    @Test func `a file changed on the disk is told`() async throws {
        try await Harness.run { service in
            let artifact = try await service.write(Array("content".utf8))
            let path =
                "\(service.folder)/objects/\(artifact.hash.prefix(2))/\(artifact.hash.dropFirst(2))"
            try AtomicFile.write(Array("CONTENT".utf8), to: path)
            #expect(await service.code { _ = try await service.read(artifact.hash) } == .dataLoss)
        }
    }

    @Test func `models are lists of files that are there`() async throws {
        try await Harness.run { service in
            var file = ModelFile()
            file.path = "config.json"
            file.artifact = try await service.write(Array("{}".utf8))
            var model = ModelRecord()
            model.name = "tiny"
            model.files = [file]
            model.notes = ["steps": "3"]
            let entered = try await service.client.unary(DataAPI.registerModel, model)
            #expect(entered.createdAtMilliseconds > 0)
            var reference = ModelReference()
            reference.name = "tiny"
            let wanted = reference
            #expect(try await service.client.unary(DataAPI.getModel, wanted) == entered)
            #expect(try await service.client.unary(DataAPI.listModels, Empty()).models == [entered])
            var missing = model
            missing.files[0].artifact.hash = String(repeating: "1", count: 64)
            var escaping = model
            escaping.files[0].path = "../config.json"
            for (wrong, code) in [(missing, Status.Code.notFound), (escaping, .invalidArgument)] {
                #expect(
                    await service.code {
                        _ = try await service.client.unary(DataAPI.registerModel, wrong)
                    } == code)
            }
            var unknown = ModelReference()
            unknown.name = "none"
            let other = unknown
            #expect(
                await service.code {
                    _ = try await service.client.unary(DataAPI.getModel, other)
                } == .notFound)
        }
    }
}
