import HTTP2
import NIOCore

/// What the connection does while the server's memory is short.
extension ServerConnectionHandler {
    /// Lets the peer send as much again as was taken, unless memory is short.
    func giveBack(_ credit: Int, of entry: Entry) {
        let stream = entry.stream
        let credit = min(credit, stream.unconsumedBytes - entry.withheldBytes)
        guard memory.isShort else { return session.consume(stream, credit) }
        entry.withheldBytes += credit
        session.holdsWindow = true
        watchMemory()
    }

    /// Looks after memory from time to time until it is not short any more.
    func watchMemory() {
        guard memoryTimer == nil, !isLost else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        memoryTimer = loop.scheduleTask(in: .milliseconds(20)) { bound.value.lookAtMemory() }
    }

    private func lookAtMemory() {
        memoryTimer = nil
        guard !isLost else { return }
        let entries = session.openStreams.compactMap { $0.owner as? Entry }
        if memory.isShort {
            endStalled(entries)
            watchMemory()
        } else {
            session.holdsWindow = false
            for entry in entries {
                session.consume(entry.stream, entry.withheldBytes)
                entry.withheldBytes = 0
                entry.stalledSince = nil
                entry.call.memoryCameFree()
            }
        }
        flush()
    }

    /// Ends the calls whose peers neither take nor send what would free memory.
    private func endStalled(_ entries: [Entry]) {
        let now = ContinuousClock.now
        if !entries.contains(where: \.isEvicted) { evictedSince = nil }
        if let evictedSince, now - evictedSince >= .seconds(1) {
            // Not even the resets were taken.
            return fail(ConnectionMemory.status, .enhanceYourCalm)
        }
        for entry in entries where !entry.isEvicted {
            guard entry.isStalled(at: now, for: configuration.slowReaderLimit) else { continue }
            entry.isEvicted = true
            evictedSince = evictedSince ?? now
            entry.call.abandon(
                Status(.resourceExhausted, "memory is short, and the caller is too slow"))
            if !entry.isFinished {
                entry.isFinished = true
                countEnd(of: entry.call)
            }
            session.reset(entry.stream, .enhanceYourCalm)
        }
    }
}
