import Corpus
import Drills
import Schema
import Wire

/// Makes drills: small tasks with a checkable answer, as a dataset to augment, and as questions with
/// the answers expected.
struct DrillStep: StepAction {
    func run(_ fields: StepFields, _ scope: StepScope) async throws -> JSON {
        guard let family = DrillFamily(rawValue: try fields.text("family")) else {
            let known = DrillFamily.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.wrong("family", "one of \(known)")
        }
        var settings = DrillGenerator.Settings(family: family)
        if let size = try fields.integer("size") { settings.size = size }
        if let alphabet = try fields.integer("alphabet") { settings.alphabet = alphabet }
        if let base = try fields.integer("base") { settings.base = base }
        settings.seed = UInt64(try fields.integer("seed") ?? 1)
        let calls = DataCalls(scope.services)
        var excluded: Set<String> = []
        if let hash = try fields.string("excluding") {
            let bytes = try await scope.calling("data") { try await calls.read(hash) }
            excluded = try DrillFiles.instructions(in: bytes)
        }
        var generator = try DrillGenerator(settings, excluding: excluded)
        var drills: [Drill] = []
        for _ in 0..<(try fields.integer("count") ?? 0) {
            try Task.checkCancellation()
            drills.append(try generator.next())
        }
        let made = drills
        let questions = try await scope.calling("data") {
            try await calls.write(
                Self.lines(DrillFiles.questions(made)), mediaType: "application/jsonl")
        }
        let expected = try await scope.calling("data") {
            try await calls.write(
                Self.lines(DrillFiles.expected(made)), mediaType: "application/jsonl")
        }
        var result: JSON = [
            "questions": .string(questions.hash), "expected": .string(expected.hash),
            "count": .int(made.count),
        ]
        if let name = try fields.string("dataset") {
            let header = ImportHeader.with {
                $0.name = name
                $0.format = .alpaca
                $0.label = family.rawValue
            }
            let version = try await scope.calling("data") {
                try await calls.importBytes(DrillFiles.alpaca(made).bytes(), header)
            }
            result = result.merging(DataCalls.told(version))
        }
        return result
    }

    private static func lines(_ values: [JSON]) -> [UInt8] {
        values.flatMap { $0.line() }
    }
}
