internal import Glibc

/// The learning rate of each step of a run.
///
/// Steps count from 0, so a run with a warm-up begins with rate 0, as Hugging Face's does.
public struct LearningRate: Sendable {
    public let peak: Double
    public let schedule: TrainingSettings.Schedule
    public let warmupSteps: Int
    public let totalSteps: Int

    public init(_ settings: TrainingSettings, totalSteps: Int) {
        peak = settings.learningRate
        schedule = settings.schedule
        warmupSteps =
            settings.warmupSteps ?? Int((settings.warmupRatio * Double(totalSteps)).rounded(.up))
        self.totalSteps = totalSteps
    }

    public subscript(step: Int) -> Double {
        if step < warmupSteps {
            return peak * Double(step) / Double(max(1, warmupSteps))
        }
        let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
        switch schedule {
        case .constant: return peak
        case .linear: return peak * max(0, 1 - progress)
        case .cosine: return peak * max(0, 0.5 * (1 + Glibc.cos(.pi * progress)))
        }
    }
}
