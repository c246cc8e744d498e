import Schema
import Synchronization

/// What a caller has heard of an answer, so that another replica can go on where one was lost.
///
/// Replicas of a model answer a request alike, word for word, where its seed is set. So the other
/// replica answers anew; what the caller knows is compared and left out, and what follows is told.
///
/// ```
/// told:    started · "The answ" · "er is "        ✗ lost
/// replay:  started · "The " · "answer " · "is 4" · …
/// heard:                                     "4" · …
/// ```
final class AnswerReplay: Sendable {
    fileprivate struct State {
        /// What was told, deltas of a segment in one, without counts of tokens.
        var told: [GenerateEvent] = []
        /// How much of it the replay has said again: whole events, and bytes of the next.
        var position = 0
        var offset = 0
        var isReplaying = false
        var differs = false
        var sequence = 0
    }

    private let state = Mutex(State())

    /// Whether the replay has said something else than was told.
    var differs: Bool { state.withLock { $0.differs } }

    /// Whether anything was told.
    var hasBegun: Bool { state.withLock { !$0.told.isEmpty } }

    /// From now on another replica answers.
    func begin() {
        state.withLock { state in
            state.position = 0
            state.offset = 0
            state.isReplaying = !state.told.isEmpty
        }
    }

    /// What of an event the caller has not heard yet; nil where it has heard all of it.
    func news(of event: GenerateEvent) -> GenerateEvent? {
        state.withLock { $0.news(of: event) }
    }
}

extension AnswerReplay.State {
    fileprivate mutating func news(of event: GenerateEvent) -> GenerateEvent? {
        guard !differs else { return nil }
        var event = event
        if isReplaying, !isNew(&event) { return nil }
        note(event)
        sequence += 1
        event.sequence = sequence
        return event
    }

    private mutating func note(_ event: GenerateEvent) {
        guard event.kind != .usage else { return }
        if event.kind == .delta, let last = told.last, last.kind == .delta,
            last.segment == event.segment
        {
            told[told.count - 1].text += event.text
        } else {
            told.append(event)
        }
        position = told.count
    }

    /// Compares with what was told; leaves in the event what goes beyond it.
    private mutating func isNew(_ event: inout GenerateEvent) -> Bool {
        if event.kind == .usage { return false }
        while position < told.count {
            let known = told[position]
            guard known.kind == event.kind, known.segment == event.segment else {
                differs = true
                return false
            }
            guard event.kind == .delta else {
                differs = known.text != event.text || known.verdict?.needed != event.verdict?.needed
                advance()
                return false
            }
            let (rest, text) = (known.text.utf8.dropFirst(offset), event.text.utf8)
            let common = zip(rest, text).prefix { $0 == $1 }.count
            guard common == min(rest.count, text.count) else {
                differs = true
                return false
            }
            offset += common
            if offset == known.text.utf8.count { advance() }
            if common == text.count { return false }
            event.text = String(decoding: text.dropFirst(common), as: UTF8.self)
        }
        isReplaying = false
        return true
    }

    private mutating func advance() {
        position += 1
        offset = 0
        if position == told.count { isReplaying = false }
    }
}
