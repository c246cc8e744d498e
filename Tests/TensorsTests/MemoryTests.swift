import FoundationEssentials
import Tensors
import Testing

struct MemoryTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "hone-tensors-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func `numbers written are read back, at any offset`() throws {
        try withFolder { folder in
            let path = folder + "/numbers"
            let tensor = randomTensor(3, 5_000, seed: 1)
            let file = try DurableFile(path: path)
            try file.write([7])
            try file.write(tensor, as: .float32)
            try file.write(tensor, as: .bfloat16)
            try file.close()
            let mapped = try MappedFile(path: path)
            #expect(mapped.count == 1 + 15_000 * 6)
            #expect(try mapped.bytes(0..<1) == [7])
            let read = Tensor(rows: 3, columns: 5_000)
            try mapped.read(.float32, at: 1, into: read)
            #expect(read.values == tensor.values)
            try mapped.read(.bfloat16, at: 1 + 60_000, into: read)
            let rounded = tensor.copied()
            rounded.roundToBFloat16()
            #expect(read.values == rounded.values)
            #expect(throws: TensorsError.self) {
                try mapped.read(.float32, at: 30_002, into: read)
            }
        }
    }

    @Test func `bfloat16 is rounded to the nearest, ties to even`() {
        let cases: [(Float, Float)] = [
            (1, 1), (1.0039062, 1), (1.0117188, 1.015625), (-3.1415927, -3.140625),
            (.infinity, .infinity), (0, 0), (2e-38, 2e-38),
        ]
        let tensor = Tensor(cases.map(\.0) + [.nan], rows: 1, columns: cases.count + 1)
        tensor.roundToBFloat16()
        for (index, pair) in cases.enumerated() {
            #expect(abs(tensor[0, index] - pair.1) <= 4e-3 * abs(pair.1) || pair.0 == pair.1)
        }
        #expect(tensor[0, 1] == 1 && tensor[0, 2] == 1.015625)
        #expect(tensor[0, cases.count].isNaN)
    }

    @Test func `every float16 is read as it is`() throws {
        try withFolder { folder in
            let path = folder + "/halves"
            let file = try DurableFile(path: path)
            try file.write(
                (0..<65_536).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
            try file.close()
            let tensor = Tensor(rows: 1, columns: 65_536)
            try MappedFile(path: path).read(.float16, at: 0, into: tensor)
            let values = tensor.values
            let wrong = (0..<65_536).filter {
                let expected = Float(Float16(bitPattern: UInt16($0)))
                return values[$0] != expected && !(values[$0].isNaN && expected.isNaN)
            }
            #expect(wrong.isEmpty)
        }
    }

    @Test func `a folder is replaced whole or stays`() throws {
        struct Stop: Error {}
        try withFolder { folder in
            let path = folder + "/model"
            func put(_ name: String, in temporary: String) throws {
                let file = try DurableFile(path: temporary + "/" + name)
                try file.write([1])
                try file.close()
            }
            try DurableFolder.replace(path) { try put("a", in: $0) }
            try DurableFolder.replace(path) { try put("b", in: $0) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["b"])
            #expect(throws: Stop.self) {
                try DurableFolder.replace(path) {
                    try put("c", in: $0)
                    throw Stop()
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["b"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model"])
            try DurableFolder.remove(path)
            try DurableFolder.remove(path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `a missing file is named with its reason`() {
        #expect {
            try MappedFile(path: "/nowhere/at/all")
        } throws: {
            "\($0)" == "/nowhere/at/all: open failed: No such file or directory"
        }
    }

    @Test(arguments: 1...4)
    func `many small jobs run every task once`(threads: Int) {
        let compute = Compute(threads: threads)
        let x = Tensor(rows: 64, columns: 2_048)
        x.fill(1)
        let y = Tensor(rows: 64, columns: 2_048)
        for _ in 0..<500 {
            compute.add(x, to: y)
        }
        #expect(y.values.allSatisfy { $0 == 500 })
    }

    @Test func `slices share memory and copies do not`() {
        let tensor = Tensor((0..<12).map(Float.init), rows: 4, columns: 3)
        tensor.slice(rows: 1..<3)[0, 2] = 50
        #expect(tensor[1, 2] == 50)
        let copy = tensor.copied()
        copy[0, 0] = 9
        #expect(tensor[0, 0] == 0)
        #expect(tensor.largestColumn(row: 1) == 2)
        #expect(tensor.meanRow().values[0] == 4.5)
        var values = [Float](repeating: 0, count: 5)
        tensor.copyRow(3, into: &values)
        #expect(values == [9, 10, 11, 0, 0])
    }
}
