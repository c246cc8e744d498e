/// The categories of the original's eighty questions, for reviews that come without their questions.
public enum OriginalCategories {
    /// Category and ids; each ten questions long but for coding and math.
    private static let blocks: [(category: String, ids: ClosedRange<Int>)] = [
        ("generic", 1...10), ("knowledge", 11...20), ("roleplay", 21...30),
        ("common-sense", 31...40), ("fermi", 41...50), ("counterfactual", 51...60),
        ("coding", 61...67), ("math", 68...70), ("writing", 71...80),
    ]

    /// The questions' ids and categories where the reviews are of exactly the original's questions,
    /// 1 to 80; else none.
    public static func questions(of reviews: [Review]) -> [Question] {
        guard reviews.count == 80, Set(reviews.map(\.questionID)) == Set(1...80) else { return [] }
        return blocks.flatMap { block in
            block.ids.map { Question(id: $0, text: "", category: block.category) }
        }
    }
}
