import Chat
import Testing

@Suite struct RequestTurnsTests {
    @Test(arguments: [(Int?.none, Int?.none), (60, nil), (nil, 60), (60, 60)])
    func `a key that is held voids the turns of all who wait for it`(
        requestsPerMinute: Int?, inAll: Int?
    ) {
        var turns = RequestTurns(
            keys: 2, requestsPerMinute: requestsPerMinute, requestsPerMinuteInAll: inAll)
        let start = ContinuousClock.now
        let waiting = (0..<24).map { _ in turns.take(key: 0, now: start) }
        let other = turns.take(key: 1, now: start)
        #expect(waiting.allSatisfy { turns.isValid($0, key: 0) })
        let now = start + .milliseconds(1500)
        turns.hold(key: 0, now: now, for: .seconds(30))
        turns.hold(key: 0, now: now, for: .seconds(10))
        #expect(!waiting.contains { turns.isValid($0, key: 0) })
        #expect(turns.isValid(other, key: 1))
        // Whoever wakes, or comes, during the rest is told its end and asks again.
        let end = now + .seconds(30)
        for second in 2..<31 {
            let turn = turns.take(key: 0, now: start + .seconds(second))
            #expect(turn.moment == end)
            #expect(!turns.isValid(turn, key: 0))
        }
        let later = (0..<24).map { _ in turns.take(key: 0, now: end) }
        #expect(later.allSatisfy { $0.mayBeSent && $0.moment >= end && turns.isValid($0, key: 0) })
        if requestsPerMinute != nil || inAll != nil {
            for (one, next) in zip(later, later.dropFirst()) {
                #expect(next.moment - one.moment >= .seconds(1))
            }
        }
        if requestsPerMinute != nil, inAll == nil { #expect(later[0].moment == end) }
    }

    @Test func `a limit for all keys together is kept whichever key asks`() {
        var turns = RequestTurns(keys: 3, requestsPerMinute: nil, requestsPerMinuteInAll: 10)
        let start = ContinuousClock.now
        let moments = (0..<30).map { turns.take(key: $0 % 3, now: start).moment }
        #expect(moments == (0..<30).map { start + .seconds(6 * $0) })
    }

    @Test func `a refused key's items go to the other keys in turn`() {
        var ring = KeyRing(count: 3)
        #expect((0..<6).map { ring.key(for: $0) } == [0, 1, 2, 0, 1, 2])
        #expect(ring.leaveAside(1) == .new)
        #expect(ring.leaveAside(1) == .known)
        #expect((0..<9).map { ring.key(for: $0) } == [0, 0, 2, 0, 2, 2, 0, 0, 2])
        #expect(ring.leaveAside(2) == .new)
        #expect(ring.leaveAside(0) == .last)
        #expect((0..<4).map { ring.key(for: $0) } == [0, 0, 0, 0])
        var none = KeyRing(count: 0)
        #expect(none.key(for: 5) == 0)
        #expect(none.leaveAside(0) == .last)
    }
}
