/// The members of a JSON object in the order in which they were first written.
///
/// Keys are compared by their bytes. Writing to a key that is there keeps its place, as Python's
/// dictionaries do; of duplicate keys in a text the last value holds, in the first one's place.
public struct JSONObject: Sendable {
    public struct Member: Hashable, Sendable {
        public let key: String
        public var value: JSON

        public init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    public private(set) var members: [Member] = []
    /// Where each key stands; kept only for objects too large to search one by one.
    private var places: [ExactString: Int]?

    private static let largestSearchedCount = 16

    public init() {}

    public init(_ members: some Sequence<(String, JSON)>) {
        for (key, value) in members { self[key] = value }
    }

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }
    public var keys: [String] { members.map(\.key) }

    public subscript(key: String) -> JSON? {
        get { place(of: key).map { members[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key: key, value: value)
            case (nil, nil): break
            }
        }
    }

    /// Gives a key another name in its place; nothing happens if it is not there.
    public mutating func rename(_ key: String, to name: String) {
        guard let place = self.place(of: key), self.place(of: name) == nil else { return }
        members[place] = Member(key: name, value: members[place].value)
        if places != nil { indexPlaces() }
    }

    private func place(of key: String) -> Int? {
        if let places { return places[ExactString(key)] }
        return members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }

    private mutating func append(key: String, value: JSON) {
        members.append(Member(key: key, value: value))
        if places != nil {
            places?[ExactString(key)] = members.count - 1
        } else if members.count > Self.largestSearchedCount {
            indexPlaces()
        }
    }

    private mutating func remove(at place: Int) {
        members.remove(at: place)
        if places != nil { indexPlaces() }
    }

    private mutating func indexPlaces() {
        var fresh: [ExactString: Int] = [:]
        for (place, member) in members.enumerated() { fresh[ExactString(member.key)] = place }
        places = fresh
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count
            && zip(left.members, right.members).allSatisfy {
                $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value
            }
    }

    public func hash(into hasher: inout Hasher) {
        for member in members {
            ExactString(member.key).hash(into: &hasher)
            member.value.hash(into: &hasher)
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}

extension JSONObject: Sequence {
    public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}
