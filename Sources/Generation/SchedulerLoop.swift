/// The part of the scheduler that computes: its slots and one step over them.
struct SchedulerLoop {
    private let model: any SequenceModel
    private let limits: Scheduler.Limits
    private var slots: [Slot] = []
    private var spareCaches: [any SequenceCache] = []

    private struct Slot {
        var job: Job
        let cache: any SequenceCache
        var pending: [Int32] = []
        var offset = 0
        var wanted = WantedLogits.last

        var isDone: Bool { offset == pending.count }
    }

    init(model: any SequenceModel, limits: Scheduler.Limits) {
        self.model = model
        self.limits = limits
    }

    var active: Int { slots.count }
    var freeSlots: Int { limits.slots - slots.count }
    var isIdle: Bool { slots.isEmpty }

    mutating func admit(_ jobs: [Job]) {
        for job in jobs {
            let cache = spareCaches.popLast() ?? model.makeCache()
            cache.truncate(to: 0)
            slots.append(Slot(job: job, cache: cache))
        }
    }

    mutating func cancel(_ ids: Set<UInt64>) {
        guard !ids.isEmpty else { return }
        for index in slots.indices.reversed() where ids.contains(slots[index].job.id) {
            free(index) { $0.resume(throwing: CancellationError()) }
        }
    }

    mutating func end(_ error: any Error) {
        for index in slots.indices.reversed() {
            free(index) { $0.resume(throwing: error) }
        }
    }

    /// Asks programs that have nothing to feed, feeds a chunk of each, hands out the logits.
    ///
    /// - Returns: how many tokens were fed alone, as generated ones are.
    mutating func step() -> Int {
        for index in slots.indices.reversed() { ask(index) }
        var steps: [SequenceStep] = []
        var places: [Int] = []
        var room = limits.stepTokens
        // Sequences that write go before those that still read their prompts.
        let order = slots.indices.sorted { first, second in
            let counts = (slots[first].pending.count, slots[second].pending.count)
            return (counts.0 == 1 ? 0 : 1, slots[first].job.id)
                < (counts.1 == 1 ? 0 : 1, slots[second].job.id)
        }
        for index in order {
            let slot = slots[index]
            let count = min(limits.chunk, slot.pending.count - slot.offset)
            guard count <= room || steps.isEmpty else { continue }
            room -= count
            let end = slot.offset + count
            var wanted = slot.wanted
            if wanted == .last, end < slot.pending.count { wanted = .none }
            steps.append(
                SequenceStep(
                    cache: slot.cache, tokens: Array(slot.pending[slot.offset..<end]),
                    wanted: wanted))
            places.append(index)
        }
        guard !steps.isEmpty else { return 0 }
        do {
            let logits = try model.decode(steps)
            for (step, place) in places.enumerated() {
                slots[place].offset += steps[step].tokens.count
                guard !logits[step].isEmpty else { continue }
                slots[place].job.program.receive(
                    LogitRows(values: logits[step], width: model.vocabularySize))
            }
        } catch {
            let error = GenerationError.model(cause: "\(error)")
            for place in places.sorted().reversed() { free(place) { $0.resume(throwing: error) } }
        }
        return steps.count { $0.tokens.count == 1 }
    }

    private mutating func ask(_ index: Int) {
        guard slots[index].isDone else { return }
        let situation = SequenceSituation(
            count: slots[index].cache.count, contextLength: model.contextLength,
            vocabularySize: model.vocabularySize)
        switch slots[index].job.program.next(situation) {
        case .finish:
            let program = slots[index].job.program
            free(index) { $0.resume(returning: program) }
        case .fail(let error): free(index) { $0.resume(throwing: error) }
        case .feed(let tokens, let keeping, let wanted):
            let kept = min(keeping ?? situation.count, situation.count)
            precondition(!tokens.isEmpty, "a program feeds nothing and goes on")
            guard kept + tokens.count <= model.contextLength else {
                let error = GenerationError.tooLong(
                    tokens: kept + tokens.count, limit: model.contextLength)
                return free(index) { $0.resume(throwing: error) }
            }
            slots[index].cache.truncate(to: kept)
            slots[index].pending = tokens
            slots[index].offset = 0
            slots[index].wanted = wanted
        }
    }

    private mutating func free(
        _ index: Int, _ resume: (CheckedContinuation<any SequenceProgram, any Error>) -> Void
    ) {
        let slot = slots.remove(at: index)
        spareCaches.append(slot.cache)
        resume(slot.job.continuation)
    }
}
