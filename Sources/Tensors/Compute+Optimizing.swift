internal import CKernels

/// The numbers of one AdamW step.
///
/// - Source: Loshchilov and Hutter 2019, algorithm 2.
public struct AdamWStep: Sendable {
    public var learningRate: Double
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    public var weightDecay: Double
    /// Counted from 1.
    public var step: Int
    /// What gradients are multiplied by first: clipping.
    public var gradientScale: Float

    public init(
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
        step: Int, gradientScale: Float
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.step = step
        self.gradientScale = gradientScale
    }
}

extension Compute {
    /// Changes values and both moments; all four have the same count.
    public func adamW(
        _ value: Tensor, gradient: Tensor, first: Tensor, second: Tensor, _ step: AdamWStep
    ) {
        precondition(value.count == gradient.count && value.count == first.count)
        precondition(value.count == second.count && step.step >= 1)
        let correction1 = 1 - power(step.beta1, step.step)
        let correction2 = 1 - power(step.beta2, step.step)
        forRows(value.count, chunk: Compute.optimizerChunk) { range in
            let start = range.lowerBound
            unsafe hone_adamw(
                instructions, range.count, value.pointer + start, gradient.pointer + start,
                first.pointer + start, second.pointer + start, step.gradientScale,
                Float(step.beta1), Float(step.beta2), Float(step.epsilon),
                Float(step.learningRate / correction1), Float(correction2.squareRoot()),
                Float(1 - step.learningRate * step.weightDecay))
        }
    }

    /// The sum of the squares of all values, in double.
    public func sumOfSquares(_ x: Tensor) -> Double {
        let chunk = Compute.optimizerChunk
        let chunks = (x.count + chunk - 1) / chunk
        var sums = [Double](repeating: 0, count: chunks)
        unsafe sums.withUnsafeMutableBufferPointer { sums in
            guard let first = sums.baseAddress else { return }
            forRows(x.count, chunk: chunk) { range in
                unsafe first[range.lowerBound / chunk] = hone_sum_of_squares(
                    instructions, range.count, x.pointer + range.lowerBound)
            }
        }
        return sums.reduce(0, +)
    }

    /// Fixed, so that the order of the sum is.
    private static let optimizerChunk = 65_536
}
