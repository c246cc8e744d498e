import Chat
import Judging
import Synchronization

/// Judges pairs of answers, several at once, each review kept as soon as it is there.
final class Evaluation: Sendable {
    /// The files of an evaluation, read and checked against one another.
    struct Pairs: Sendable {
        var modelFirst: [Judgement]
        /// Nil where one order is enough.
        var opponentFirst: [Judgement]?

        init(
            questions: [Question], model: [Answer], opponent: [Answer], prompts: [JudgePrompt],
            reviewers: [Reviewer], bothOrders: Bool
        ) throws(JudgingError) {
            modelFirst = try Judgement.all(
                questions: questions, first: model, second: opponent, prompts: prompts,
                reviewers: reviewers)
            guard bothOrders else { return }
            opponentFirst = try Judgement.all(
                questions: questions, first: opponent, second: model, prompts: prompts,
                reviewers: reviewers)
        }
    }

    /// How far it is, and what it took.
    struct Summary: Sendable, Equatable {
        var total = 0
        /// Reviews asked for now.
        var asked = 0
        /// Reviews the journal had.
        var reused = 0
        /// Requests that were not answered.
        var failed = 0
        /// Those of them that may be answered another time.
        var failedForNow = 0
        /// Reviews whose scores cannot be read.
        var unreadable = 0
        var promptTokens = 0
        var completionTokens = 0
        var lastFailure = ""

        var done: Int { asked + reused + failed }
    }

    struct Result: Sendable {
        var modelFirst: [Review]
        var opponentFirst: [Review]?
        var summary: Summary

        /// Those of both orders.
        var reviews: [Review] { modelFirst + (opponentFirst ?? []) }
    }

    /// A judge whose reply has no scores is asked so often in all.
    static let attemptsAtScores = 3
    /// So many failures in a row say that the judge is gone.
    private static let failuresInARow = 20

    let pairs: Pairs
    let judge: ChatJudge
    let journal: ReviewJournal
    let concurrency: Int
    private let state = Mutex(State())

    private struct State {
        var summary = Summary()
        var failuresInARow = 0
        var reviews: [Work.Place: Review] = [:]
    }

    private struct Work: Sendable {
        struct Place: Hashable, Sendable {
            let order: ReviewOrder
            let index: Int
        }

        let place: Place
        let judgement: Judgement
    }

    init(_ pairs: Pairs, judge: ChatJudge, journal: ReviewJournal, concurrency: Int) {
        self.pairs = pairs
        self.judge = judge
        self.journal = journal
        self.concurrency = max(1, concurrency)
    }

    /// Makes every review that is not there yet.
    ///
    /// - Throws: where going on makes no sense: a wrong key, a judge that is gone, a full disk.
    func run(progress: @escaping @Sendable (Summary) -> Void = { _ in }) async throws -> Result {
        let work = work()
        state.withLock { $0.summary.total = work.count }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, item) in work.enumerated() {
                if number >= concurrency { try await group.next() }
                group.addTask {
                    try await self.review(item)
                    progress(self.state.withLock(\.summary))
                }
            }
            try await group.waitForAll()
        }
        return state.withLock { state in
            func reviews(_ order: ReviewOrder, _ judgements: [Judgement]) -> [Review] {
                judgements.enumerated().map { index, judgement in
                    state.reviews[.init(order: order, index: index)]
                        ?? Review(of: judgement, id: ShortID.make(), text: Self.noText)
                }
            }
            return Result(
                modelFirst: reviews(.modelFirst, pairs.modelFirst),
                opponentFirst: pairs.opponentFirst.map { reviews(.opponentFirst, $0) },
                summary: state.summary)
        }
    }

    /// What the original writes where the judge could not be asked.
    private static let noText = "error"

    private func work() -> [Work] {
        func work(_ order: ReviewOrder, _ judgements: [Judgement]) -> [Work] {
            judgements.enumerated().map {
                Work(place: .init(order: order, index: $0), judgement: $1)
            }
        }
        return work(.modelFirst, pairs.modelFirst)
            + work(.opponentFirst, pairs.opponentFirst ?? [])
    }

    private func review(_ work: Work) async throws {
        let key = judge.key(of: work.judgement, order: work.place.order)
        let known = await journal.review(of: key)
        if let known, known.isFinal {
            keep(known, work, isNew: false)
            return
        }
        do {
            keep(try await ask(work, key: key, known), work, isNew: true)
        } catch let error as ChatError {
            try fail(error)
        }
    }

    /// Asks until scores can be read, a few times at most; every reply is kept before the next.
    private func ask(
        _ work: Work, key: String, _ known: StoredReview?
    ) async throws -> StoredReview {
        var stored =
            known
            ?? StoredReview(
                request: key, id: ShortID.make(), text: "", promptTokens: 0, completionTokens: 0,
                hasScores: false, attempt: 0)
        while !stored.isFinal {
            let reply = try await judge.review(work.judgement, item: work.place.index)
            stored.attempt += 1
            stored.text = reply.text
            stored.promptTokens += reply.usage.promptTokens
            stored.completionTokens += reply.usage.completionTokens
            stored.hasScores = Review(of: work.judgement, id: "", text: reply.text).scores.isPresent
            try await journal.save(stored)
        }
        return stored
    }

    private func keep(_ stored: StoredReview, _ work: Work, isNew: Bool) {
        let review = Review(of: work.judgement, id: stored.id, text: stored.text)
        state.withLock { state in
            state.reviews[work.place] = review
            state.failuresInARow = 0
            state.summary.asked += isNew ? 1 : 0
            state.summary.reused += isNew ? 0 : 1
            state.summary.unreadable += review.scores.isPresent ? 0 : 1
            state.summary.promptTokens += stored.promptTokens
            state.summary.completionTokens += stored.completionTokens
        }
    }

    /// Counts a review that could not be had; throws where the others cannot be had either.
    private func fail(_ error: ChatError) throws {
        let inARow = state.withLock { state in
            state.summary.failed += 1
            state.summary.failedForNow += error.isRetryable ? 1 : 0
            state.summary.lastFailure = error.description
            // A refusal of this one request says nothing about the judge.
            state.failuresInARow += error.isRetryable ? 1 : 0
            return state.failuresInARow
        }
        switch error.kind {
        case .authentication, .permission, .notFound, .quota, .configuration: throw error
        default: break
        }
        if inARow >= max(Self.failuresInARow, concurrency) {
            throw EvaluatorError.judgeGone(failures: inARow, reason: error.description)
        }
    }
}

extension StoredReview {
    /// Whether the judge is not asked again.
    var isFinal: Bool { hasScores || attempt >= Evaluation.attemptsAtScores }
}
