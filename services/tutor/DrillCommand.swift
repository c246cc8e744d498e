import ArgumentParser
import Corpus
import Drills
import FoundationEssentials
import ServiceKit

struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Print drills: instructions, questions or right answers.",
        discussion: """
            One seed gives one list, whatever the form, so the questions and the expected answers \
            of two calls belong together.

            Example:
              hone-tutor drill --family sort --count 1000 --seed 1 --form alpaca > train.json
              hone-tutor drill --family both --count 100 --seed 2 --exclude train.json \\
                --form questions > questions.jsonl
            """)

    enum Families: String, ExpressibleByArgument, CaseIterable {
        case sort, add, both

        var families: [DrillFamily] {
            switch self {
            case .sort: [.sort]
            case .add: [.add]
            case .both: [.sort, .add]
            }
        }
    }

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case alpaca, questions, expected
    }

    @Option(help: "sort, add, or both in turn.") var family = Families.both
    @Option(help: "How many drills.") var count = 100
    @Option(help: "Letters to sort, digits a number.") var size = 8
    @Option(help: "sort: the letters come from the first so many of the alphabet.")
    var alphabet = 26
    @Option(help: "add: the base of the numbers.") var base = 10
    @Option(help: "The same seed gives the same drills.") var seed: UInt64 = 0
    @Option(help: "alpaca, questions or expected.") var form = Form.alpaca
    @Option(help: ArgumentHelp("A file of drills that must not come again.", valueName: "file"))
    var exclude: [String] = []

    func run() throws {
        let drills = try drills()
        let text =
            switch form {
            case .alpaca: DrillFiles.alpaca(drills).text(.python(indent: 4)) + "\n"
            case .questions: Self.lines(DrillFiles.questions(drills))
            case .expected: Self.lines(DrillFiles.expected(drills))
            }
        print(text, terminator: "")
    }

    private func drills() throws -> [Drill] {
        guard count > 0 else {
            throw SettingsError.badNumber(
                setting: "--count", value: "\(count)", expected: "a number above 0")
        }
        var excluded: Set<String> = []
        for path in exclude {
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
            excluded.formUnion(try DrillFiles.instructions(in: bytes))
        }
        var generators: [DrillGenerator] = []
        for family in family.families {
            generators.append(
                try DrillGenerator(
                    .init(family: family, size: size, alphabet: alphabet, base: base, seed: seed),
                    excluding: excluded))
        }
        var drills: [Drill] = []
        drills.reserveCapacity(count)
        for index in 0..<count { drills.append(try generators[index % generators.count].next()) }
        return drills
    }

    private static func lines(_ rows: [JSON]) -> String {
        rows.map { $0.text(.python) + "\n" }.joined()
    }
}
