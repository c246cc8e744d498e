internal import CKernels

/// How many heads attention has and how wide they are.
public struct AttentionShape: Sendable, Equatable {
    public let queryHeads: Int
    /// Divides `queryHeads`: each serves as many query heads.
    public let keyValueHeads: Int
    public let headDimension: Int

    public init(queryHeads: Int, keyValueHeads: Int, headDimension: Int) {
        precondition(
            keyValueHeads > 0 && queryHeads % keyValueHeads == 0,
            "\(queryHeads) query heads over \(keyValueHeads) key-value heads")
        self.queryHeads = queryHeads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    /// Columns of queries, keys and values side by side.
    public var fusedColumns: Int { (queryHeads + 2 * keyValueHeads) * headDimension }
    public var queryColumns: Int { queryHeads * headDimension }
    public var keyValueColumns: Int { keyValueHeads * headDimension }

    var group: Int { queryHeads / keyValueHeads }
    var scale: Float { 1 / Float(headDimension).squareRoot() }
    var keyColumn: Int { queryColumns }
    var valueColumn: Int { queryColumns + keyValueColumns }
}

extension Compute {
    /// Causal attention within each sequence.
    ///
    /// - Parameters:
    ///   - fused: `(rows, fusedColumns)`: queries, keys, values of every head.
    ///   - sequences: the rows of each sequence, apart from each other.
    ///   - y: `(rows, queryColumns)`.
    ///   - logSums: `(rows, queryHeads)`, kept for the way back.
    public func attention(
        _ fused: Tensor, sequences: [Range<Int>], shape: AttentionShape, into y: Tensor,
        logSums: Tensor
    ) {
        check(fused, y, logSums, sequences, shape)
        let d = shape.headDimension
        let longest = sequences.map(\.count).max() ?? 0
        unsafe pool.run(
            tasks: sequences.count * shape.keyValueHeads,
            scratchCount: hone_attention_scratch(longest, d)
        ) { task, scratch in
            let range = sequences[task / shape.keyValueHeads]
            let head = task % shape.keyValueHeads
            let row = unsafe fused.pointer + range.lowerBound * fused.columns
            let query = head * shape.group
            unsafe hone_attention_forward(
                instructions, range.count, shape.group, d, shape.scale,
                row + query * d, row + shape.keyColumn + head * d,
                row + shape.valueColumn + head * d, fused.columns,
                y.pointer + range.lowerBound * y.columns + query * d, y.columns,
                logSums.pointer + range.lowerBound * shape.queryHeads + query, shape.queryHeads,
                scratch)
        }
    }

    /// The gradient of ``attention(_:sequences:shape:into:logSums:)``.
    ///
    /// - Parameter dFused: like `fused`; written.
    public func attentionBackward(
        _ fused: Tensor, sequences: [Range<Int>], shape: AttentionShape, y: Tensor,
        logSums: Tensor, dy: Tensor, dFused: Tensor
    ) {
        check(fused, y, logSums, sequences, shape)
        precondition(dy.count == y.count && dFused.count == fused.count)
        let d = shape.headDimension
        let longest = sequences.map(\.count).max() ?? 0
        unsafe pool.run(
            tasks: sequences.count * shape.keyValueHeads,
            scratchCount: hone_attention_scratch(longest, d)
        ) { task, scratch in
            let range = sequences[task / shape.keyValueHeads]
            let head = task % shape.keyValueHeads
            let start = range.lowerBound * fused.columns
            let row = unsafe fused.pointer + start
            let dRow = unsafe dFused.pointer + start
            let query = head * shape.group
            let key = shape.keyColumn + head * d
            let value = shape.valueColumn + head * d
            let out = range.lowerBound * y.columns + query * d
            unsafe hone_attention_backward(
                instructions, range.count, shape.group, d, shape.scale, row + query * d,
                row + key, row + value, fused.columns, y.pointer + out, dy.pointer + out,
                y.columns, logSums.pointer + range.lowerBound * shape.queryHeads + query,
                shape.queryHeads, dRow + query * d, dRow + key, dRow + value, scratch)
        }
    }

    /// Attention of new rows over caches that take up their keys and values first.
    ///
    /// - Parameters:
    ///   - fused: `(rows, fusedColumns)`.
    ///   - parts: which rows belong to which cache, and how many positions it held before.
    ///   - y: `(rows, queryColumns)`.
    public func attention(
        _ fused: Tensor, parts: [CachedPart], shape: AttentionShape, into y: Tensor
    ) {
        precondition(fused.columns == shape.fusedColumns && y.columns == shape.queryColumns)
        let d = shape.headDimension
        let most = parts.map { $0.past + $0.rows.count }.max() ?? 0
        unsafe pool.run(
            tasks: parts.count * shape.keyValueHeads,
            scratchCount: hone_attention_cached_scratch(most)
        ) { task, scratch in
            let part = parts[task / shape.keyValueHeads]
            let head = task % shape.keyValueHeads
            precondition(
                part.rows.upperBound <= fused.rows
                    && part.past + part.rows.count <= part.cache.capacity)
            let row = unsafe fused.pointer + part.rows.lowerBound * fused.columns
            let keys = unsafe part.cache.keys(head: head)
            let values = unsafe part.cache.values(head: head)
            let query = head * shape.group
            unsafe hone_cache_append(
                part.rows.count, part.past, d, row + shape.keyColumn + head * d,
                row + shape.valueColumn + head * d, fused.columns, keys, values)
            unsafe hone_attention_cached(
                instructions, part.rows.count, part.past, shape.group, d, shape.scale,
                row + query * d, fused.columns, keys, values,
                y.pointer + part.rows.lowerBound * y.columns + query * d, y.columns, scratch)
        }
    }

    private func check(
        _ fused: Tensor, _ y: Tensor, _ logSums: Tensor, _ sequences: [Range<Int>],
        _ shape: AttentionShape
    ) {
        precondition(fused.columns == shape.fusedColumns && y.columns == shape.queryColumns)
        precondition(fused.rows == y.rows && logSums.count == y.rows * shape.queryHeads)
        precondition(sequences.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= fused.rows })
    }
}

/// New rows of one sequence.
public struct CachedPart: Sendable {
    public let rows: Range<Int>
    /// Positions the cache holds already; the first new row gets this one.
    public let past: Int
    public let cache: LayerCache

    public init(rows: Range<Int>, past: Int, cache: LayerCache) {
        self.rows = rows
        self.past = past
        self.cache = cache
    }
}

/// One layer's keys and values of one sequence: keys in panels of 32 positions, each `(d, 32)`,
/// values row after row, head by head.
public struct LayerCache: Sendable {
    public let capacity: Int
    let shape: AttentionShape
    let keyBuffer: Buffer
    let valueBuffer: Buffer

    public init(shape: AttentionShape, capacity: Int) {
        let panel = PackedMatrix.panelColumns
        self.capacity = (capacity + panel - 1) / panel * panel
        self.shape = shape
        keyBuffer = Buffer(count: self.capacity * shape.keyValueColumns)
        valueBuffer = Buffer(count: self.capacity * shape.keyValueColumns)
    }

    /// Takes over the first positions of another cache.
    public func copyPositions(_ count: Int, from other: LayerCache) {
        precondition(
            other.shape == shape && count <= capacity && count <= other.capacity,
            "\(count) positions into \(capacity)")
        let d = shape.headDimension
        let panel = PackedMatrix.panelColumns
        let keyCount = (count + panel - 1) / panel * panel * d
        for head in 0..<shape.keyValueHeads {
            unsafe keys(head: head).update(from: other.keys(head: head), count: keyCount)
            unsafe values(head: head).update(from: other.values(head: head), count: count * d)
        }
    }

    @unsafe func keys(head: Int) -> UnsafeMutablePointer<Float> {
        unsafe keyBuffer.pointer + head * capacity * shape.headDimension
    }

    @unsafe func values(head: Int) -> UnsafeMutablePointer<Float> {
        unsafe valueBuffer.pointer + head * capacity * shape.headDimension
    }
}
