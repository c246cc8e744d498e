import RPC
import Testing

/// Who is chosen, by chance, in turn, by load or by key.
@Suite(.timeLimit(.minutes(5)))
struct BalancingTests {
    private static let seeds: [UInt64] = [1, 7, 12_345]

    @Test(arguments: seeds)
    func `two choices spread calls evenly over idle servers`(seed: UInt64) {
        var balancer = Balancer(.leastLoaded, seed: seed)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<20_000 {
            if let index = balancer.choose(10, load: { _ in 0 }) { counts[index] += 1 }
        }
        // 2000 each; the deviation of a binomial distribution is 42.
        #expect(counts.allSatisfy { (1750...2250).contains($0) }, "\(counts)")
    }

    @Test(arguments: seeds)
    func `two choices keep the loads close together`(seed: UInt64) {
        var balancer = Balancer(.leastLoaded, seed: seed)
        var loads = [Int](repeating: 0, count: 20)
        for _ in 0..<20_000 {
            if let index = balancer.choose(20, load: { loads[$0] }) { loads[index] += 1 }
        }
        // By chance alone they would be off by more than 100.
        #expect(loads.allSatisfy { (985...1015).contains($0) }, "\(loads)")
    }

    @Test func `the less loaded of two is always chosen`() {
        var balancer = Balancer(.leastLoaded, seed: 3)
        for _ in 0..<100 { #expect(balancer.choose(2, load: { [5, 4][$0] }) == 1) }
        #expect(balancer.choose(1, load: { _ in 9 }) == 0)
        #expect(balancer.choose(0, load: { _ in 9 }) == nil)
    }

    @Test func `in turn is exactly even`() {
        var balancer = Balancer(.roundRobin, seed: 3)
        var counts = [0, 0, 0]
        for _ in 0..<300 {
            if let index = balancer.choose(3, load: { $0 }) { counts[index] += 1 }
        }
        #expect(counts == [100, 100, 100])
    }

    // MARK: By key

    private static let names = (1...10).map { "10.0.0.\($0):7404" }
    private static let keys = (0..<10_000).map { HashRing.hash("conversation \($0)") }

    private func owners(_ names: [String]) -> [String] {
        let ring = HashRing(names, placesPerMember: 100)
        return Self.keys.compactMap { ring.owner(of: $0) { _ in true } }.map { names[$0] }
    }

    @Test func `each server gets about its share of the keys`() {
        let owners = owners(Self.names)
        #expect(owners.count == Self.keys.count)
        for name in Self.names {
            let count = owners.count { $0 == name }
            #expect((700...1300).contains(count), "\(name): \(count)")
        }
    }

    @Test func `the order in which servers are known does not matter`() {
        #expect(owners(Self.names) == owners(Self.names.reversed()))
    }

    @Test func `only keys of a server that left move`() {
        let gone = Self.names[3]
        let (before, after) = (owners(Self.names), owners(Self.names.filter { $0 != gone }))
        for (old, new) in zip(before, after) where old != gone { #expect(old == new) }
        // They go to many others.
        let heirs = Set(zip(before, after).filter { $0.0 == gone }.map(\.1))
        #expect(heirs.count >= 7)
    }

    @Test func `a server that joins takes its share, and no other key moves`() {
        let joined = "10.0.0.77:7404"
        let (before, after) = (owners(Self.names), owners(Self.names + [joined]))
        for (old, new) in zip(before, after) where old != new { #expect(new == joined) }
        #expect((600...1250).contains(after.count { $0 == joined }))
    }

    @Test func `keys of a busy server go on to the next, and come back`() {
        let ring = HashRing(Self.names, placesPerMember: 100)
        let settings = ConsistentHashing()
        var loads = [Int](repeating: 0, count: 10)
        // One key has all the calls.
        for open in 0..<1000 {
            let bound = HashRing.bound(open: open, servers: 10, settings)
            let owner = ring.owner(of: 42) { loads[$0] < bound }
            if let owner { loads[owner] += 1 }
        }
        #expect(loads.reduce(0, +) == 1000)
        #expect(loads.allSatisfy { $0 <= 125 }, "\(loads)")
        let first = ring.owner(of: 42) { _ in true }
        #expect(loads[first ?? 0] == 125)
        #expect(ring.owner(of: 42) { _ in false } == nil)
        #expect(HashRing.bound(open: 0, servers: 10, settings) == settings.leastCalls)
    }

    @Test func `a key's hash is the same in every process`() {
        #expect(HashRing.hash("conversation 1") == 0xB5D6_268E_11A3_1339)
        #expect(HashRing.hash("") == 0xF52A_15E9_A9B5_E89B)
    }

    @Test func `a conversation stays at its server while others come and go`() async throws {
        let servers = (0..<4).map { Server(ServerConfiguration(), router: named(UInt8($0))) }
        try await running(servers) { ports in
            var configuration = ClientConfiguration()
            configuration.balancing = .consistent
            let client = Client(local(Array(ports.prefix(3))), configuration)
            try await running(client) {
                @Sendable func places() async throws -> [UInt8] {
                    var places: [UInt8] = []
                    for key in 0..<60 {
                        let options = CallOptions(affinity: "conversation \(key)")
                        let answer = try await client.unary(
                            Echo.unary, Bytes([]), options: options)
                        places.append(answer.bytes[0])
                    }
                    return places
                }
                try await client.untilReady(3)
                let first = try await places()
                try await expectEqual(places(), first)
                #expect(Set(first).count == 3)
                client.update(local(ports))
                try await client.untilReady(4)
                let joined = try await places()
                for (old, new) in zip(first, joined) { #expect(old == new || new == 3) }
                client.update(local(Array(ports.dropFirst())))
                try await until { client.servers.count == 3 }
                let left = try await places()
                for (old, new) in zip(joined, left) { #expect(old == new || old == 0) }
                #expect(!left.contains(0))
            }
        }
    }
}
