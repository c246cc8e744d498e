/// Rows in columns for people: the first column to the left, numbers to the right.
public struct TextTable: Sendable {
    private var rows: [[String]]

    public init(_ headings: String...) {
        rows = [headings]
    }

    public mutating func add(_ cells: String...) {
        precondition(cells.count == rows[0].count, "\(cells.count) cells, \(rows[0].count) columns")
        rows.append(cells)
    }

    /// The lines, each ended.
    public var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let filler = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + filler : "  " + filler + cell
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// A number with as many decimals as make three digits, thousands parted.
    public static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        let decimals = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 2
        let scale = [1.0, 10, 100][decimals]
        let scaled = Int((value.magnitude * scale).rounded())
        let digits = "\(scaled / Int(scale))"
        var whole = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { whole.append(",") }
            whole.append(digit)
        }
        let rest = "\(scaled % Int(scale))"
        let fraction =
            decimals == 0
            ? "" : "." + String(repeating: "0", count: decimals - rest.count) + rest
        return (value < 0 ? "-" : "") + whole + fraction
    }
}
