internal import Tensors

/// Which examples each step takes: every one once an epoch, in an order of the epoch's own.
///
/// The order follows from seed and epoch alone, so a run resumes by its step number.
public struct DataOrder: Sendable {
    public let exampleCount: Int
    public let examplesPerStep: Int
    public let seed: UInt64
    public let shuffles: Bool

    public init(exampleCount: Int, examplesPerStep: Int, seed: UInt64, shuffles: Bool) {
        precondition(exampleCount > 0 && examplesPerStep > 0)
        self.exampleCount = exampleCount
        self.examplesPerStep = examplesPerStep
        self.seed = seed
        self.shuffles = shuffles
    }

    /// The last step of an epoch may have fewer examples.
    public var stepsPerEpoch: Int { (exampleCount + examplesPerStep - 1) / examplesPerStep }

    /// The whole of an epoch's order.
    public func order(epoch: Int) -> [Int] {
        let order = Array(0..<exampleCount)
        guard shuffles else { return order }
        var mixed = RandomSource(seed: seed)
        mixed.state ^= UInt64(epoch) &* 0xD1B5_4A32_D192_ED03
        var source = RandomSource(seed: mixed.next())
        return order.shuffled(using: &source)
    }

    /// Where a step's examples lie in its epoch's order.
    public func range(step: Int) -> (epoch: Int, positions: Range<Int>) {
        let start = step % stepsPerEpoch * examplesPerStep
        return (step / stepsPerEpoch, start..<min(exampleCount, start + examplesPerStep))
    }
}
