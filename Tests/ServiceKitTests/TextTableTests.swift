import ServiceKit
import Testing

@Suite struct TextTableTests {
    @Test(arguments: [
        (0, "0.00"), (0.046, "0.05"), (1.239, "1.24"), (9.999, "10.00"), (12.34, "12.3"),
        (123.4, "123"), (999.6, "1,000"), (1_234_567.8, "1,234,568"), (-12.34, "-12.3"),
        (.infinity, "inf"),
    ])
    func `numbers have about three digits`(value: Double, text: String) {
        #expect(TextTable.number(value) == text)
    }

    @Test func `columns are aligned`() {
        var table = TextTable("task", "per second")
        table.add("short", "1")
        table.add("much longer", "23,456")
        let lines = [
            "task         per second", "short                 1", "much longer      23,456",
        ]
        #expect(table.text == lines.map { $0 + "\n" }.joined())
    }
}
