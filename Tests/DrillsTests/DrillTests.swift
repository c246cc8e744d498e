import Corpus
import Drills
import TestKit
import Testing

@Suite struct DrillTests {
    @Test func `sorting goes by odd and even passes`() throws {
        let drill = try #require(Drill(recognizing: "Sort: q d f a z b e c\n"))
        #expect(drill.drafts.first == "d q a f b z c e")
        #expect(drill.drafts[1] == "d a q b f c z e")
        #expect(drill.answer == "a b c d e f q z")
        #expect(drill.drafts.last == drill.answer)
        #expect(drill.instruction == "Sort: q d f a z b e c")
        #expect(
            drill.critique(of: "d q a f b z c e").text
                == "Order + - + - + - +. Revision is needed.")
        let right = drill.critique(of: " a b c d e f q z\n")
        #expect(right.text == "Order + + + + + + +. Revision is not needed.")
        #expect(!right.isRevisionNeeded)
    }

    @Test func `adding carries everywhere at once`() throws {
        let drill = try #require(Drill(recognizing: "Add 48210937 + 59102846"))
        #expect(
            drill.drafts == ["097312773", "007313783", "107313783"])
        #expect(drill.critique(of: "097312773").text == "Carry 010001010. Revision is needed.")
        #expect(drill.critique(of: "007313783").text == "Carry 100000000. Revision is needed.")
        #expect(drill.critique(of: "107313783").text == "Carry 000000000. Revision is not needed.")
        let chained = try #require(Drill(recognizing: "Add 0995 + 0005"))
        #expect(chained.drafts == ["00990", "00900", "00000", "01000"])
        #expect(chained.critique(of: "00990").text == "Carry 00010. Revision is needed.")
    }

    @Test func `a sum in another base carries there`() throws {
        let drill = try #require(Drill(recognizing: "Add 33 + 01", base: 4))
        #expect(drill.drafts == ["030", "000", "100"])
        #expect(Drill(recognizing: "Add 34 + 01", base: 4) == nil)
    }

    @Test(arguments: [
        "", "Sort:", "Sort: a", "Sort: a a", "Sort: a B", "Sort: a  b", "Sort these letters",
        "Add 1 + 22", "Add 12", "Add a + b", "Add 12 - 13", "add 12 + 13",
        "Add 12345678901234567890123456789012345678901234567890123456789012345 + 1",
    ])
    func `what is no drill is not taken for one`(instruction: String) {
        #expect(Drill(recognizing: instruction) == nil)
    }

    @Test(arguments: [
        ("Sort: c b a", "c b"), ("Sort: c b a", "a b d"), ("Sort: c b a", "a a b"),
        ("Sort: c b a", "nonsense"), ("Sort: c b a", ""), ("Add 12 + 13", "26"),
        ("Add 12 + 13", "99999"), ("Add 12 + 13", "999"), ("Add 12 + 13", "twenty-five"),
    ])
    func `a text off the path is told to be wrong and led to the answer`(
        instruction: String, text: String
    ) throws {
        let drill = try #require(Drill(recognizing: instruction))
        let critique = drill.critique(of: text)
        #expect(critique.isRevisionNeeded)
        #expect(critique.text.hasSuffix(". Revision is needed."))
        #expect(critique.text.contains("-") || critique.text.contains("1"))
        #expect(drill.revision(of: text) == drill.answer)
        #expect(drill.score(of: text) < 10)
    }

    @Test func `scores rise with the share of right places`() throws {
        let drill = try #require(Drill(recognizing: "Add 1234 + 1111"))
        #expect(drill.score(of: "02345") == 10)
        #expect(drill.score(of: "02344") == 7.5)
        #expect(drill.score(of: "12344") == 6)
        #expect(drill.score(of: "hello") == 1)
        #expect(drill.isCorrect(" 02345\n"))
        #expect(!drill.isCorrect("2345"))
    }

    @Test(
        arguments: [
            DrillGenerator.Settings(family: .sort, seed: 7),
            .init(family: .sort, size: 5, alphabet: 8, seed: 1),
            .init(family: .add, seed: 7), .init(family: .add, size: 5, base: 4, seed: 2),
        ])
    func `every generated drill is solved by its path within three revisions`(
        settings: DrillGenerator.Settings
    ) throws {
        var generator = try DrillGenerator(settings)
        var revisions = [0, 0, 0, 0]
        let count = 240
        for _ in 0..<count {
            let drill = try generator.next()
            #expect(Drill(recognizing: drill.instruction, base: settings.base) == drill)
            let drafts = drill.drafts
            try #require((1...4).contains(drafts.count), "\(drill.instruction)")
            revisions[drafts.count - 1] += 1
            let isRight = drafts.enumerated().allSatisfy { place, draft in
                let isLast = place == drafts.count - 1
                return drill.critique(of: draft).isRevisionNeeded != isLast
                    && drill.isCorrect(draft) == isLast
                    && drill.revision(of: draft) == drafts[min(place + 1, drafts.count - 1)]
            }
            #expect(isRight, "\(drill.instruction): \(drafts)")
        }
        let share = revisions.map { Double($0) / Double(count) }
        #expect(share[0] > 0.02 && share[0] < 0.13, "\(share)")
        for depth in 1...3 { #expect(share[depth] > 0.22 && share[depth] < 0.42, "\(share)") }
    }

    @Test func `addition is right when counted the ordinary way`() throws {
        var generator = try DrillGenerator(.init(family: .add, size: 6, seed: 3))
        for _ in 0..<200 {
            guard case .add(let drill) = try generator.next() else { continue }
            func value(_ digits: [UInt8]) -> Int { digits.reduce(0) { $0 * 10 + Int($1) } }
            let sum = value(drill.first) + value(drill.second)
            #expect(Int(Drill.add(drill).answer) == sum)
        }
    }

    @Test func `a seed decides the drills, and excluded ones do not come`() throws {
        func drills(_ seed: UInt64, excluding: Set<String> = []) throws -> [String] {
            var generator = try DrillGenerator(
                .init(family: .sort, size: 4, alphabet: 6, seed: seed), excluding: excluding)
            return try (0..<60).map { _ in try generator.next().instruction }
        }
        let first = try drills(1)
        #expect(Set(first).count == 60)
        #expect(try drills(1) == first)
        #expect(try drills(2) != first)
        #expect(try Set(drills(2, excluding: Set(first))).isDisjoint(with: first))
    }

    @Test func `drills that cannot be are refused`() throws {
        #expect(throws: DrillError.self) { try DrillGenerator(.init(family: .sort, size: 30)) }
        #expect(throws: DrillError.self) {
            try DrillGenerator(.init(family: .sort, size: 8, alphabet: 5))
        }
        #expect(throws: DrillError.self) { try DrillGenerator(.init(family: .add, base: 11)) }
        var tiny = try DrillGenerator(.init(family: .sort, size: 2, alphabet: 2))
        #expect(throws: DrillError.self) {
            for _ in 0..<4 { _ = try tiny.next() }
        }
    }

    @Test func `files hold the drills in every form`() throws {
        var generator = try DrillGenerator(.init(family: .add, size: 3, seed: 9))
        let drills = try (0..<3).map { _ in try generator.next() }
        let alpaca = DrillFiles.alpaca(drills)
        #expect(alpaca[1]?["instruction"]?.stringValue == drills[1].instruction)
        #expect(alpaca[1]?["output"]?.stringValue == drills[1].answer)
        #expect(DrillFiles.questions(drills)[2]["question_id"]?.intValue == 3)
        #expect(DrillFiles.expected(drills)[2]["text"]?.stringValue == drills[2].answer)
        let instructions = Set(drills.map(\.instruction))
        #expect(try DrillFiles.instructions(in: alpaca.bytes()) == instructions)
        let lines = Array(DrillFiles.questions(drills).map { $0.bytes() }.joined(separator: [0x0A]))
        #expect(try DrillFiles.instructions(in: lines) == instructions)
    }
}
