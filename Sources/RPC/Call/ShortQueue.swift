/// A queue that mostly holds one element, which then costs no allocation.
struct ShortQueue<Element> {
    private var first: Element?
    /// Those after the first, from `next` on.
    private var others: [Element] = []
    private var next = 0

    var isEmpty: Bool { first == nil }

    mutating func append(_ element: Element) {
        if first == nil { first = element } else { others.append(element) }
    }

    mutating func popFirst() -> Element? {
        guard let element = first else { return nil }
        first = nil
        guard next < others.count else { return element }
        first = others[next]
        next += 1
        if next == others.count {
            others.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 64, next * 2 > others.count {
            // A reader that never quite catches up must not make the array grow for ever.
            others.removeFirst(next)
            next = 0
        }
        return element
    }

    func forEach(_ body: (Element) throws -> Void) rethrows {
        guard let first else { return }
        try body(first)
        for element in others[next...] { try body(element) }
    }
}

extension ShortQueue: Sendable where Element: Sendable {}
