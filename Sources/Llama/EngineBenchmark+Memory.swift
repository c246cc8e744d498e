internal import Tensors

extension EngineBenchmark {
    /// How many bytes a second all threads together read from memory, in a block no cache holds.
    ///
    /// A token cannot be decoded faster than its weights are read; models that fit into the caches
    /// can.
    public static func memoryBytesPerSecond(threads: Int, seconds: Double = 1) -> Double {
        let compute = Compute(threads: threads)
        let block = Tensor(rows: 1 << 10, columns: 1 << 16)
        block.fill(1)
        let clock = ContinuousClock()
        var best = 0.0
        let start = clock.now
        repeat {
            let begin = clock.now
            let sum = compute.sumOfSquares(block)
            let spent = (clock.now - begin) / .seconds(1)
            precondition(sum == Double(block.count))
            best = max(best, Double(block.count * 4) / spent)
        } while clock.now - start < .seconds(seconds)
        return best
    }
}
