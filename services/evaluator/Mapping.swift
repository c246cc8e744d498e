import Corpus
import Judging
import Schema
import Wire

extension EvaluationReport {
    init(_ comparison: Comparison) {
        self.init()
        pooled = comparison.pooled ?? 0
        modelFirst = comparison.modelFirst.relative ?? 0
        opponentFirst = comparison.opponentFirst.relative ?? 0
        win = comparison.reviews.win
        tie = comparison.reviews.tie
        loss = comparison.reviews.loss
        flips = comparison.flips
        categories = comparison.categories.compactMapValues(\.relative)
        reviews = comparison.reviewCount
        failed = comparison.failed
    }

    /// The report in a job's result, or nil where it holds none.
    init?(result: String) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: result)
        } catch {
            return nil
        }
        guard let win = json["win"]?.intValue, let tie = json["tie"]?.intValue,
            let loss = json["loss"]?.intValue, let flips = json["flips"]?.intValue
        else { return nil }
        self.init()
        pooled = json["pooled"]?.doubleValue ?? 0
        modelFirst = json["modelFirst"]?.doubleValue ?? 0
        opponentFirst = json["opponentFirst"]?.doubleValue ?? 0
        self.win = win
        self.tie = tie
        self.loss = loss
        self.flips = flips
        for member in json["categories"]?.objectValue ?? JSONObject() {
            categories[member.key] = member.value.doubleValue
        }
        reviews = json["reviews"]?.intValue ?? 0
        failed = json["failed"]?.intValue ?? 0
        reviewsModelFirst = json["reviewsModelFirst"]?.stringValue ?? ""
        reviewsOpponentFirst = json["reviewsOpponentFirst"]?.stringValue ?? ""
    }
}
