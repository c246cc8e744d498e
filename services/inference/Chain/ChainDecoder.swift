package import Generation
package import Revising
package import Tokenization

/// What a chain is to be written from, and by which rules.
package struct ChainRequest: Sendable {
    package var prompt: String
    package var policy: Revising.RevisionPolicy
    package var sampling: Generation.Sampling
    /// Tokens of one segment; nil leaves it to the context.
    package var segmentTokens: Int?
    /// Texts that end a segment.
    package var stops: [String] = []

    package init(
        prompt: String, policy: Revising.RevisionPolicy, sampling: Generation.Sampling
    ) {
        self.prompt = prompt
        self.policy = policy
        self.sampling = sampling
    }
}

/// Writes a chain of drafts, feedback and revisions on one sequence, verdicts decided by policy.
///
///     answer ──heading──▶ feedback ──verdict: needed──▶ revision ──heading──▶ feedback ─▶ …
///       │ policy ends         │ verdict: not needed        │ policy ends, fixpoint
///       └────────────────────▶└───────── finished ◀────────┘
///
/// A verdict is a decision. Where the feedback reaches one (the words "Revision is", a verdict in
/// other words, or its end without any) both continuations are scored, the policy chooses, and the
/// text is made to say what was chosen. The cache is cut back to the tokens that the old and the
/// new text share, and fed the rest: it holds the tokens of exactly the text, and the prompt is
/// never touched.
package struct ChainDecoder: SequenceProgram {
    enum Phase {
        case beginning, writing, ended
        case scoring(VerdictScoring)
    }

    /// The part that is being written.
    struct Section {
        var heading: Heading
        /// Where it begins, in bytes of the generated text.
        var start: Int
        var tokens = 0
        var limit = Int.max
        /// Up to where its text was shown.
        var shown: Int
        /// Whether its verdict stands (feedback only).
        var isDecided = false
        /// Where "Revision is" turned out to be no verdict.
        var rejectedSlot = -1
        /// Whether its limit of tokens ended it.
        var isCut = false
        /// How often its feedback was given up and written anew.
        var rewritten = 0
        /// The feedback so far that comes nearest to "needed".
        var nearest: VerdictScoring?

        var isFeedback: Bool {
            if case .feedback = heading { true } else { false }
        }
        var segment: Segment { Segment(heading) }
    }

    /// What ended a section.
    enum Ending {
        /// The model's end-of-sequence token, or a stop text.
        case stopped
        /// Its limit of tokens.
        case cut
        case heading(SectionScanner.Found)
    }

    let request: ChainRequest
    let prompt: [TokenID]
    let endIDs: Set<TokenID>
    let stops: [[UInt8]]
    let emit: @Sendable (ChainEvent) -> Void
    let elapsed: @Sendable () -> Duration

    var phase = Phase.beginning
    var tokens: ChainTokens
    /// The generated tokens that the model's cache holds.
    var cached: [TokenID] = []
    var section = Section(heading: .answer, start: 0, shown: 0)
    var drafts: [String] = []
    var usage = ChainUsage()
    var situation = SequenceSituation(count: 0, contextLength: 0, vocabularySize: 0)
    /// The tokens of one revision's headings and verdict.
    let overhead: Int
    private var sampler: Sampler
    /// Draws feedback that is written anew.
    var rewriter: Sampler?
    /// Whether a limit cut the last draft off.
    private var isDraftCut = false
    private var logits: [Float] = []
    package private(set) var result = ChainResult()

    /// - Parameters:
    ///   - prompt: the tokens of the request's prompt, those that begin a sequence included.
    ///   - elapsed: the time since the request came, for the policy's budget.
    ///   - emit: called on the scheduler's thread.
    package init(
        _ request: ChainRequest, prompt: [TokenID], tokenizer: Tokenizer, endIDs: Set<TokenID>,
        elapsed: (@Sendable () -> Duration)? = nil,
        emit: @escaping @Sendable (ChainEvent) -> Void = { _ in }
    ) {
        self.request = request
        self.prompt = prompt
        self.endIDs = endIDs
        self.emit = emit
        let began = ContinuousClock.now
        self.elapsed = elapsed ?? { ContinuousClock.now - began }
        stops = request.stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        sampler = Sampler(request.sampling)
        tokens = ChainTokens(tokenizer, prompt: prompt)
        usage.prompt = prompt.count
        let frame = Heading.feedback(1).text + ". \(Verdict.neededText)." + Heading.revision(1).text
        overhead = tokens.continuation(Array(frame.utf8)).count + 2
    }

    package mutating func receive(_ rows: LogitRows) {
        if case .scoring(var scoring) = phase {
            scoring.receive(rows)
            phase = .scoring(scoring)
        } else {
            logits = rows.last
        }
    }

    package mutating func next(_ situation: SequenceSituation) -> SequenceCommand {
        self.situation = situation
        switch phase {
        case .beginning:
            if prompt.isEmpty { return .fail(.emptyPrompt) }
            if let id = prompt.first(where: { $0 < 0 || Int($0) >= situation.vocabularySize }) {
                return .fail(.unknownToken(id: Int(id), vocabulary: situation.vocabularySize))
            }
            guard prompt.count < situation.contextLength else {
                return .fail(.tooLong(tokens: prompt.count, limit: situation.contextLength))
            }
            if let error = shortage { return .fail(error) }
            phase = .writing
            open(.answer, at: 0)
            return .feed(prompt)
        case .writing: return write()
        case .scoring(let scoring): return goOn(scoring)
        case .ended: return .finish
        }
    }

    /// The generated tokens and their text, and whether the cache is meant to hold them.
    package var written: (ids: [TokenID], text: String, isCached: Bool) {
        if case .writing = phase { return (tokens.ids, tokens.text, cached == tokens.ids) }
        return (tokens.ids, tokens.text, false)
    }

    // MARK: writing

    private mutating func write() -> SequenceCommand {
        if prompt.count + tokens.ids.count >= situation.contextLength { return endEarly(.length) }
        let id = rewriter?.draw(logits) ?? sampler.draw(logits)
        if endIDs.contains(id) { return end(at: tokens.bytes.count, .stopped) }
        let new = tokens.append(id)
        spend(1)
        section.tokens += 1
        if let command = inspect(new) { return command }
        show(upTo: releasable)
        return feed(tokens.ids)
    }

    /// Counts tokens for the section that is being written.
    mutating func spend(_ count: Int) {
        switch section.segment.kind {
        case .answer: usage.answer += count
        case .feedback: usage.feedback += count
        case .revision: usage.revision += count
        }
    }

    /// Looks whether the text that just came ends the section or brings a verdict.
    private mutating func inspect(_ new: Int) -> SequenceCommand? {
        let bytes = tokens.bytes
        if new > 0 {
            // A heading or a stop may have begun before the new text.
            let from = max(section.start, bytes.count - new - 48)
            if let stop = stops.compactMap({ find($0, new) }).min() {
                return end(at: stop, .stopped)
            }
            if request.policy.mode == .off {
                let heading = Array("\n\n### Feedback".utf8)
                if let start = SectionScanner.find(heading, in: bytes, from: from) {
                    return end(at: start, .stopped)
                }
            } else if let found = SectionScanner.heading(
                SectionScanner.word(after: section.heading), in: bytes, from: from)
            {
                return end(at: found.start, .heading(found))
            }
            if section.isFeedback, let command = inspectFeedback(new) { return command }
        }
        if section.tokens >= section.limit, !tokens.isHolding {
            // A heading that has only begun belongs to no section.
            let word = SectionScanner.word(after: section.heading)
            let end = SectionScanner.held(word, in: bytes, from: section.start)
            return self.end(at: max(section.shown, end), .cut)
        }
        if let limit = request.policy.maximumTokens, usage.completion >= limit {
            return endEarly(.budget)
        }
        if let time = request.policy.time, elapsed() >= time { return endEarly(.budget) }
        return nil
    }

    private func find(_ stop: [UInt8], _ new: Int) -> Int? {
        let from = max(section.start, tokens.bytes.count - new - stop.count)
        return SectionScanner.find(stop, in: tokens.bytes, from: from)
    }

    // MARK: sections

    /// Begins a section whose text starts at a byte of the generated text.
    ///
    /// - Parameter gained: the tokens that its heading added.
    mutating func open(_ heading: Heading, at start: Int, gained: Int = 0) {
        section = Section(heading: heading, start: start, shown: start)
        rewriter = nil
        spend(gained)
        section.limit = sectionLimit
        emit(.started(section.segment))
    }

    private mutating func end(at end: Int, _ ending: Ending) -> SequenceCommand {
        if case .cut = ending { section.isCut = true }
        return section.isFeedback ? endFeedback(at: end, ending) : endDraft(at: end, ending)
    }

    private mutating func endDraft(at end: Int, _ ending: Ending) -> SequenceCommand {
        let draft = close(at: end)
        isDraftCut = section.isCut
        let isFixpoint = drafts.last.map { Self.isSame($0, draft) } ?? false
        drafts.append(draft)
        switch request.policy.afterDraft(status(isFixpoint: isFixpoint)) {
        case .finish(let reason): return finish(at: end, ChainEnd(reason))
        case .critique:
            let isOwed = drafts.count <= request.policy.effectiveMinimum + closing
            switch ending {
            case .stopped where !isOwed: return finish(at: end, .stop)
            case .cut where !isOwed: return finish(at: end, .length)
            default: return pass(to: .feedback(drafts.count), from: end, ending)
            }
        }
    }

    private static func isSame(_ first: String, _ second: String) -> Bool {
        func trimmed(_ text: String) -> ArraySlice<UInt8> {
            let bytes = Array(text.utf8)
            let end = SectionScanner.trimmed(bytes, from: 0, to: bytes.count)
            return bytes[..<end].drop(while: SectionScanner.isSpace)
        }
        return trimmed(first) == trimmed(second)
    }

    /// Goes on to the next section: by the model's own heading if it is right, else by ours.
    mutating func pass(
        to heading: Heading, from end: Int, _ ending: Ending
    ) -> SequenceCommand {
        if case .heading(let found) = ending, Self.number(heading) == found.number {
            open(heading, at: found.end)
            return feed(tokens.ids)
        }
        let kept = Array(tokens.bytes[..<end])
        let gained = replace(kept + Array(heading.text.utf8))
        guard fits else {
            tokens.replace(kept)
            return finish(at: tokens.bytes.count, .length)
        }
        open(heading, at: tokens.bytes.count, gained: gained)
        return feed(tokens.ids)
    }

    private static func number(_ heading: Heading) -> Int {
        switch heading {
        case .feedback(let number), .revision(let number): number
        case .instruction, .input, .answer: 0
        }
    }

    func status(isFixpoint: Bool = false) -> Revising.RevisionPolicy.Situation {
        Revising.RevisionPolicy.Situation(
            revisions: max(0, drafts.count - 1), tokens: usage.completion, elapsed: elapsed(),
            isFixpoint: isFixpoint)
    }

    // MARK: text and cache

    /// Makes the generated text another one.
    ///
    /// - Returns: how many tokens it gained.
    mutating func replace(_ text: [UInt8]) -> Int {
        let before = tokens.ids.count
        tokens.replace(text)
        return max(0, tokens.ids.count - before)
    }

    /// Whether the sequence, with one more token, fits into the context.
    var fits: Bool { prompt.count + tokens.ids.count < situation.contextLength }

    /// Feeds what the cache lacks of these generated tokens, after cutting it to what they share.
    mutating func feed(_ ids: [TokenID], wanted: WantedLogits = .last) -> SequenceCommand {
        guard !ids.isEmpty else {
            cached = []
            return .feed([prompt[prompt.count - 1]], keeping: prompt.count - 1, wanted: wanted)
        }
        let shared = min(Self.sharedPrefix(cached, ids), ids.count - 1)
        cached = ids
        return .feed(Array(ids[shared...]), keeping: prompt.count + shared, wanted: wanted)
    }

    static func sharedPrefix(_ first: [TokenID], _ second: [TokenID]) -> Int {
        var count = 0
        while count < first.count, count < second.count, first[count] == second[count] {
            count += 1
        }
        return count
    }

    // MARK: showing

    /// Up to where the section's text can no longer change.
    private var releasable: Int {
        let bytes = tokens.bytes
        let start = max(section.start, section.shown)
        // What may be written anew is shown once it stands.
        if isRewritable { return start }
        var limit = SectionScanner.held(
            SectionScanner.word(after: section.heading), in: bytes, from: start)
        limit = min(limit, SectionScanner.held(stops, in: bytes, from: start))
        if section.isFeedback {
            limit = min(limit, SectionScanner.openSentence(in: bytes, from: start))
        }
        return limit
    }

    mutating func show(upTo end: Int) {
        guard end > section.shown else { return }
        let text = String(decoding: tokens.bytes[section.shown..<end], as: UTF8.self)
        section.shown = end
        emit(.delta(section.segment, text))
    }

    /// Shows the rest of a section and returns its text, escapes taken off.
    mutating func close(at end: Int) -> String {
        show(upTo: end)
        let raw = String(decoding: tokens.bytes[min(section.start, end)..<end], as: UTF8.self)
        let text = HeadingEscape.unescape(raw)
        emit(.done(section.segment, text))
        emit(.usage(usage))
        return text
    }

    // MARK: the end

    /// Ends where a limit cuts the section off; a cut revision is not the answer.
    mutating func endEarly(_ reason: ChainEnd) -> SequenceCommand {
        tokens.finish()
        let text = close(at: tokens.bytes.count)
        if !section.isFeedback, drafts.isEmpty { drafts.append(text) }
        return finish(at: tokens.bytes.count, reason)
    }

    /// Ends the chain with the text up to a byte.
    mutating func finish(at end: Int, _ reason: ChainEnd) -> SequenceCommand {
        tokens.replace(Array(tokens.bytes[..<end]))
        let isCut = isDraftCut || section.isCut
        result.reason = isCut && reason != .budget ? .length : reason
        result.answer = drafts.last ?? ""
        result.drafts = drafts
        result.generation = tokens.text
        result.wholeGeneration = request.prompt + tokens.text
        result.ids = tokens.ids
        result.usage = usage
        phase = .ended
        emit(.finished(result))
        return .finish
    }
}
