import Corpus
import FoundationEssentials

/// One line of a run's log.
struct StepRecord: Sendable, Equatable {
    var step: Int
    /// Mean over the scored tokens of the step, in nats.
    var loss: Double
    var learningRate: Double
    /// Before clipping.
    var gradientNorm: Double
    var tokensPerSecond: Double
    var epoch: Double

    /// The record with the names that Hugging Face's trainer logs under.
    var json: JSON {
        [
            "step": .int(step), "loss": .double(loss), "learning_rate": .double(learningRate),
            "grad_norm": .double(gradientNorm),
            "tokens_per_second": .double(tokensPerSecond.rounded()),
            "epoch": .double((epoch * 10_000).rounded() / 10_000),
        ]
    }
}

/// A run's loss over its steps, drawn as a picture that needs no program but a browser.
enum LossCurve {
    private static let width = 720.0
    private static let height = 360.0
    private static let left = 56.0
    private static let bottom = 40.0
    private static let top = 28.0
    private static let right = 16.0

    /// The curve of the loss, faint, and its running mean over a twentieth of the steps.
    static func svg(_ points: [(step: Int, loss: Double)], title: String) -> String {
        let finite = points.filter { $0.loss.isFinite }
        let highest = max(finite.map(\.loss).max() ?? 1, 1e-6)
        let last = Double(max(finite.last?.step ?? 1, 1))
        func x(_ step: Double) -> Double { left + (width - left - right) * step / last }
        func y(_ loss: Double) -> Double {
            top + (height - top - bottom) * (1 - loss / highest)
        }
        func path(_ values: [(step: Int, loss: Double)]) -> String {
            values.map { "\(tenths(x(Double($0.step)))),\(tenths(y($0.loss)))" }
                .joined(separator: " ")
        }
        var lines: [String] = []
        for part in 0...4 {
            let loss = highest * Double(part) / 4
            let line = tenths(y(loss))
            lines.append(
                "<line class=\"grid\" x1=\"\(left)\" x2=\"\(width - right)\" y1=\"\(line)\" "
                    + "y2=\"\(line)\"/><text x=\"\(left - 6)\" y=\"\(line)\" dy=\"4\" "
                    + "text-anchor=\"end\">\(hundredths(loss))</text>")
            let step = (last * Double(part) / 4).rounded()
            lines.append(
                "<text x=\"\(tenths(x(step)))\" y=\"\(labelHeight(18))\" "
                    + "text-anchor=\"middle\">\(Int(step))</text>")
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
            role="img" aria-label="loss by step">
            <style>
            text { font: 12px system-ui, sans-serif; fill: #555 }
            .grid { stroke: #ddd } .raw { fill: none; stroke: #9bbcf0 }
            .mean { fill: none; stroke: #1a56c4; stroke-width: 2 }
            </style>
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(left)" y="18">\(escaped(title))</text>
            \(lines.joined(separator: "\n"))
            <polyline class="raw" points="\(path(thinned(finite)))"/>
            <polyline class="mean" points="\(path(thinned(smoothed(finite))))"/>
            </svg>

            """
    }

    private static func labelHeight(_ points: Double) -> Double { height - bottom + points }

    /// At most a thousand points, evenly chosen, the last one among them.
    private static func thinned(
        _ points: [(step: Int, loss: Double)]
    ) -> [(step: Int, loss: Double)] {
        let stride = max(1, points.count / 1_000)
        return points.enumerated().filter { index, _ in
            index % stride == 0 || index == points.count - 1
        }.map(\.element)
    }

    private static func smoothed(
        _ points: [(step: Int, loss: Double)]
    ) -> [(step: Int, loss: Double)] {
        let span = max(1, points.count / 20)
        var sum = 0.0
        return points.indices.map { index in
            sum += points[index].loss
            if index >= span { sum -= points[index - span].loss }
            return (points[index].step, sum / Double(min(index + 1, span)))
        }
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
