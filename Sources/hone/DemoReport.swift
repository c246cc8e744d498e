/// What the demo found, as `--report` writes it.
struct DemoReport: Codable, Sendable, Equatable {
    /// One family of drills.
    struct Family: Codable, Sendable, Equatable {
        var name: String
        var questions: Int
        /// Share of right answers after 0, 1, 2, 3 enforced revisions.
        var accuracyByRevision: [Double]
        /// Share of right answers where the model itself decides.
        var autonomousAccuracy: Double
        /// Revisions per answer where the model itself decides.
        var autonomousRevisions: Double
        var judge: Judge
    }

    /// "3 revisions" against "0 revisions", in both orders.
    struct Judge: Codable, Sendable, Equatable {
        /// 100 · sum of scores / sum of the opponent's scores, both orders together.
        var pooled: Double
        var modelFirst: Double
        var opponentFirst: Double
        var win: Int
        var tie: Int
        var loss: Int
        var flips: Int
    }

    struct Training: Codable, Sendable, Equatable {
        var steps: Int
        var loss: Double
        var seconds: Double
        var tokensPerSecond: Double
    }

    var quick: Bool
    var page: String
    var dataDirectory: String
    var replicas: Int
    var seconds: Double
    var chains: Int
    var training: Training
    var families: [Family]
    /// Whether accuracy rises with every revision and ends at 90 % or more, in every family.
    var passed: Bool

    /// Accuracy may not fall from one revision to the next, and the last must be high.
    static func passes(_ families: [Family]) -> Bool {
        families.allSatisfy { family in
            let steps = family.accuracyByRevision
            let rises = zip(steps, steps.dropFirst()).allSatisfy { $0 <= $1 }
            return rises && steps.count == 4 && steps[0] < steps[3] && steps[3] >= 0.9
        }
    }

    /// The report for a person.
    var table: String {
        var lines = [
            "", "accuracy by number of enforced revisions, and where the model decides", "",
        ]
        lines.append("            0      1      2      3   autonomous (revisions)")
        for family in families {
            let cells = family.accuracyByRevision.map { Self.right(Self.percent($0), 7) }.joined()
            let own = Self.right(Self.percent(family.autonomousAccuracy), 8)
            lines.append(
                Self.left(family.name, 7) + cells
                    + "\(own) (\(Self.decimals(family.autonomousRevisions, 2)))")
        }
        lines += ["", "the judge on \"3 revisions\" against \"0 revisions\", both orders", ""]
        for family in families {
            let judge = family.judge
            lines.append(
                Self.left(family.name, 7)
                    + "  pooled \(Self.decimals(judge.pooled, 1)) %"
                    + "  first \(Self.decimals(judge.modelFirst, 1)) %"
                    + "  second \(Self.decimals(judge.opponentFirst, 1)) %"
                    + "  win/tie/loss \(judge.win)/\(judge.tie)/\(judge.loss)"
                    + "  flips \(judge.flips)")
        }
        lines += [
            "",
            "training: \(training.steps) steps in \(Self.decimals(training.seconds, 0)) s, "
                + "\(Self.decimals(training.tokensPerSecond, 0)) tokens/s, "
                + "loss \(Self.decimals(training.loss, 4)); in all \(Self.decimals(seconds, 0)) s",
        ]
        return lines.joined(separator: "\n")
    }

    private static func percent(_ value: Double) -> String { decimals(value * 100, 0) + " %" }

    private static func decimals(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return places == 0 ? "\(Int(rounded))" : "\(rounded)"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
