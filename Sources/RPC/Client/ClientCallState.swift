import HTTP2

extension ClientCall.State {
    /// The most request bytes a stream of requests keeps for another attempt.
    private static let historyLimit = 256 << 10

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
        _ message: [UInt8], flag: UInt8, kind: CallKind
    ) throws -> (poster: ClientConnection?, isFull: Bool) {
        if let ending { throw ending }
        precondition(!hasFinishedWriting, "a message was written after the last one")
        let chunk = Chunk(flag: flag, length: UInt32(message.count), body: message)
        outbound.append(chunk)
        if mayRepeat {
            history.append(chunk)
            historyBytes += chunk.count
            if kind.streamsRequests, historyBytes > Self.historyLimit { commit() }
        }
        return (post(), outbound.isFull)
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
    mutating func commit() {
        mayRepeat = false
        history = ShortQueue()
        historyBytes = 0
    }

    /// - Parameter keepsMessages: whether what has arrived may still be read.
    mutating func end(
        _ status: Status, keepsMessages: Bool
    ) -> (waiters: Sleepers, poster: ClientConnection?, isFirst: Bool) {
        guard ending == nil else { return (Sleepers(), nil, false) }
        ending = status
        commit()
        if !keepsMessages { inbound.dropAll() }
        let poster = post()
        return (inbound.readers.takeAll() + outbound.writers.takeAll(), poster, true)
    }

    /// Whether another attempt follows: nil for none, else how many failures preceded it, zero
    /// for at once.
    mutating func repeatAttempt(_ status: Status, wasSeen: Bool, maximum: Int) -> Int? {
        guard ending == nil, mayRepeat else { return nil }
        if wasSeen {
            guard status.code == .unavailable, attempts < maximum else { return nil }
            attempts += 1
        } else {
            // A request no server has seen may be sent again whatever its method; the bound is
            // against servers that refuse everything.
            guard unseenAttempts < 10 else { return nil }
            unseenAttempts += 1
        }
        connection = nil
        isPosted = false
        inbound = InboundHalf(readers: inbound.readers)
        outbound.chunks = history
        outbound.bufferedBytes = historyBytes
        return wasSeen ? attempts - 1 : max(0, unseenAttempts - 2)
    }
}
