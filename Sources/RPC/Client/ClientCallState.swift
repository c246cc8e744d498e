import HTTP2

extension ClientCall.State {

    /// The connection whose loop must be told that there is something to do.
    private mutating func post() -> ClientConnection? {
        guard let connection, !isPosted else { return nil }
        isPosted = true
        return connection
    }

    mutating func nextMessage(
        threshold: Int
    ) throws -> (message: [UInt8]?, isOver: Bool, poster: ClientConnection?) {
        if let message = inbound.takeMessage() {
            let isDue = ending == nil && inbound.creditDue >= threshold
            return (message, false, isDue ? post() : nil)
        }
        if let ending {
            guard ending.code == .ok else { throw ending }
            return (nil, true, nil)
        }
        return (nil, false, inbound.creditDue > 0 ? post() : nil)
    }

    mutating func write(
        _ message: [UInt8], _ kept: KeptRequests
    ) throws -> (poster: ClientConnection?, isFull: Bool) {
        if let ending { throw ending }
        precondition(!hasFinishedWriting, "a message was written after the last one")
        let chunk = Chunk(flag: 0, length: UInt32(message.count), body: message)
        outbound.append(chunk)
        if mayRepeat {
            history.append(chunk)
            historyBytes += chunk.count
            if historyBytes > KeptRequests.free { count(kept) }
        }
        return (post(), outbound.isFull)
    }

    /// Keeps what was written as long as call and client may keep so much.
    private mutating func count(_ kept: KeptRequests) {
        let more = historyBytes - countedBytes
        guard historyBytes <= kept.perCall, kept.add(more) else { return commit(kept) }
        countedBytes += more
    }

    func isStillFull() throws -> Bool {
        if let ending { throw ending }
        return outbound.isFull
    }

    mutating func finishWriting() -> ClientConnection? {
        guard !hasFinishedWriting, ending == nil else { return nil }
        hasFinishedWriting = true
        return post()
    }

    /// From now on nothing is kept for another attempt.
    mutating func commit(_ kept: KeptRequests) {
        kept.remove(countedBytes)
        countedBytes = 0
        mayRepeat = false
        history = ShortQueue()
        historyBytes = 0
    }

    /// - Parameter keepsMessages: whether what has arrived may still be read.
    mutating func end(
        _ status: Status, keepsMessages: Bool, _ kept: KeptRequests
    ) -> (waiters: Sleepers, poster: ClientConnection?, isFirst: Bool) {
        guard ending == nil else { return (Sleepers(), nil, false) }
        ending = status
        commit(kept)
        if !keepsMessages { inbound.dropAll() }
        let poster = post()
        return (inbound.readers.takeAll() + outbound.writers.takeAll(), poster, true)
    }

    /// Whether another attempt may follow one that a server has seen.
    func mayRepeatSeen(maximum: Int) -> Bool {
        ending == nil && mayRepeat && attempts < maximum
    }

    /// Makes ready for another attempt after one that a server has seen; how many attempts there
    /// were, nil where none may follow.
    mutating func repeatSeen(maximum: Int) -> Int? {
        guard mayRepeatSeen(maximum: maximum) else { return nil }
        attempts += 1
        beginAgain()
        return attempts - 1
    }

    /// Makes ready for another attempt after one that no server has seen, whatever the method; how
    /// many pauses are due, nil where none may follow.
    mutating func repeatUnseen() -> Int? {
        // The bound is against servers that refuse everything.
        guard ending == nil, mayRepeat, unseenAttempts < 10 else { return nil }
        unseenAttempts += 1
        beginAgain()
        return max(0, unseenAttempts - 2)
    }

    private mutating func beginAgain() {
        connection = nil
        isPosted = false
        inbound = InboundHalf(readers: inbound.readers)
        outbound.chunks = history
        outbound.bufferedBytes = historyBytes
    }
}
