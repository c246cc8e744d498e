import Generation
import Testing

struct SamplerTests {
    @Test func `below the smallest temperature the likeliest token is taken`() {
        var sampler = Sampler(Sampling(temperature: 0.00005, seed: 1))
        for _ in 0..<5 { #expect(sampler.draw([0, 2, 1, 2]) == 1) }
    }

    @Test func `equal seeds draw equal tokens and frequencies follow the probabilities`() {
        let logits: [Float] = [0, 1, 2, -3]
        func draws(_ seed: UInt64) -> [Int32] {
            var sampler = Sampler(Sampling(temperature: 1, seed: seed))
            return (0..<4000).map { _ in sampler.draw(logits) }
        }
        let drawn = draws(7)
        #expect(drawn == draws(7))
        #expect(drawn != draws(8))
        // Softmax of the logits; four thousand draws lie within 0.03 of it.
        for (id, probability) in [(0, 0.0896), (1, 0.2436), (2, 0.6623), (3, 0.0045)] {
            let share = Double(drawn.count { $0 == Int32(id) }) / 4000
            #expect(abs(share - probability) < 0.03)
        }
    }

    @Test func `top-k and top-p leave only the likeliest`() {
        let logits: [Float] = [0, 1, 2, -3, 1.5]
        var two = Sampler(Sampling(temperature: 2, topK: 2, seed: 3))
        #expect(Set((0..<300).map { _ in two.draw(logits) }) == [2, 4])
        var half = Sampler(Sampling(temperature: 1, topP: 0.5, seed: 3))
        #expect(Set((0..<300).map { _ in half.draw(logits) }) == [2, 4])
        var one = Sampler(Sampling(temperature: 1, topP: 0.01, seed: 3))
        #expect(Set((0..<50).map { _ in one.draw(logits) }) == [2])
        var flat = Sampler(Sampling(temperature: 1, topP: 0.9999, seed: 3))
        let even = [Float](repeating: 0, count: 50)
        #expect(Set((0..<3000).map { _ in flat.draw(even) }).count == 50)
    }

    @Test func `penalties drive a greedy sampler to other tokens`() {
        let logits: [Float] = [3, 2.5, 2, 0]
        var presence = Sampler(Sampling(temperature: 0, presencePenalty: 1))
        #expect((0..<4).map { _ in presence.draw(logits) } == [0, 1, 0, 0])
        var frequency = Sampler(Sampling(temperature: 0, frequencyPenalty: 0.6))
        #expect((0..<5).map { _ in frequency.draw(logits) } == [0, 1, 0, 2, 1])
    }

    @Test func `settings out of range are named`() {
        #expect(throws: GenerationError.self) { try Sampling(temperature: 3).check() }
        #expect(throws: GenerationError.self) { try Sampling(topP: 0).check() }
        #expect(throws: GenerationError.self) { try Sampling(temperature: .nan).check() }
        #expect(throws: Never.self) { try Sampling(temperature: 2, topP: 0.5).check() }
    }

    @Test func `a stop text is held back and never shown`() {
        var matcher = StopMatcher(["\n\n###", "END"])
        let parts = ["a\n", "\n#", "b E", "N", "x\n\n", "#", "##", " tail"].map { matcher.push($0) }
        #expect(parts.map(\.text) == ["a", "", "\n\n#b ", "", "ENx", "", "", " tail"])
        #expect(parts.map(\.isStopped) == [false, false, false, false, false, false, true, false])
        var cut = StopMatcher(["END"])
        #expect(cut.push("xE").text == "x" && cut.finish() == "E")
    }
}
