/// The open streams of a session by number.
///
/// Numbers grow by two, so that those open at a time lie side by side: a number's place is found
/// without hashing, and a stream that stays open long is stepped over.
struct StreamTable {
    /// A power of two of places, at most half of them taken.
    private var places: [Stream?] = Array(repeating: nil, count: 16)
    private(set) var count = 0

    var all: [Stream] { places.compactMap(\.self) }

    private func home(of id: Int32) -> Int { Int(id) >> 1 & (places.count - 1) }

    subscript(id: Int32) -> Stream? {
        var place = home(of: id)
        while let stream = places[place] {
            if stream.id == id { return stream }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// Adds a stream whose number is not there yet.
    mutating func insert(_ stream: Stream) {
        if count * 2 >= places.count { grow() }
        place(stream)
        count += 1
    }

    /// Takes a stream out; the ones that its place had pushed aside move up.
    ///
    /// - Source: Knuth, The Art of Computer Programming, volume 3, algorithm 6.4 R.
    mutating func remove(_ id: Int32) -> Stream? {
        var hole = home(of: id)
        while let stream = places[hole], stream.id != id { hole = (hole + 1) & (places.count - 1) }
        guard let removed = places[hole] else { return nil }
        places[hole] = nil
        count -= 1
        var next = (hole + 1) & (places.count - 1)
        while let stream = places[next] {
            let distance = (next - home(of: stream.id)) & (places.count - 1)
            if distance >= (next - hole) & (places.count - 1) {
                places[hole] = stream
                places[next] = nil
                hole = next
            }
            next = (next + 1) & (places.count - 1)
        }
        return removed
    }

    private mutating func place(_ stream: Stream) {
        var place = home(of: stream.id)
        while places[place] != nil { place = (place + 1) & (places.count - 1) }
        places[place] = stream
    }

    private mutating func grow() {
        let streams = all
        places = Array(repeating: nil, count: places.count * 2)
        for stream in streams { place(stream) }
    }
}
