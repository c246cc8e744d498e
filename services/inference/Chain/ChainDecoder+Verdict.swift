import Generation
import Revising
import Tokenization

/// The scoring of both verdicts at one place, step by step.
///
///     stem (what both share) → rest of "needed" → rest of "not needed" → decision
struct VerdictScoring {
    enum Cause {
        /// The text ends in "Revision is".
        case slot
        /// A sentence says "not needed" where the policy wants another revision.
        case sentence(end: Int)
        /// The feedback ended.
        case ended(at: Int, ChainDecoder.Ending)
    }

    enum Stage { case stem, needed, notNeeded }

    let cause: Cause
    /// What the model has said itself, if it did.
    let written: Bool?
    /// The generated text before the verdict, and the two ways to go on.
    let base: [UInt8]
    let neededText: [UInt8]
    let notNeededText: [UInt8]
    let neededIDs: [TokenID]
    let notNeededIDs: [TokenID]
    /// The tokens that both have in common.
    let shared: Int

    var stage = Stage.stem
    private var stem: [Float] = []
    private var rows: [LogitRows] = []
    private var needed: Float = 0
    private var notNeeded: Float = 0

    init(
        _ cause: Cause, written: Bool?, base: [UInt8], needed: String, notNeeded: String,
        tokens: ChainTokens
    ) {
        self.cause = cause
        self.written = written
        self.base = base
        neededText = base + Array(needed.utf8)
        notNeededText = base + Array(notNeeded.utf8)
        neededIDs = tokens.continuation(neededText)
        notNeededIDs = tokens.continuation(notNeededText)
        let common = ChainDecoder.sharedPrefix(neededIDs, notNeededIDs)
        shared = min(common, neededIDs.count - 1, notNeededIDs.count - 1)
    }

    mutating func receive(_ logits: LogitRows) {
        if stage == .stem { stem = logits.last } else { rows.append(logits) }
    }

    /// Takes the log-probability of the continuation that was fed.
    mutating func score(_ ids: [TokenID], as stage: Stage) {
        var score = Self.logProbability(ids[shared], stem[...])
        var place = shared + 1
        for part in rows {
            for index in 0..<part.count where place < ids.count {
                score += Self.logProbability(ids[place], part.row(index))
                place += 1
            }
        }
        rows = []
        if stage == .needed { needed = score } else { notNeeded = score }
    }

    private static func logProbability(_ id: TokenID, _ row: ArraySlice<Float>) -> Float {
        row[row.startIndex + Int(id)] - LogProbability.normalizer(row)
    }

    /// P("needed") against "not needed".
    var probability: Double {
        let difference = Double(notNeeded) - Double(needed)
        return 1 / (1 + Exponential.of(difference))
    }

    /// The probability that either of the two follows at all.
    var mass: Double { Exponential.of(Double(needed)) + Exponential.of(Double(notNeeded)) }
}

extension ChainDecoder {
    /// Below this probability of either verdict, "Revision is" opens another sentence.
    private static let smallestMass = 0.1

    /// Looks for a verdict in the feedback that just grew.
    mutating func inspectFeedback(_ new: Int) -> SequenceCommand? {
        let bytes = tokens.bytes
        if !section.isDecided, endsInStem, section.rejectedSlot != bytes.count {
            return score(
                VerdictScoring(
                    .slot, written: nil, base: bytes, needed: " needed", notNeeded: " not needed",
                    tokens: tokens))
        }
        let enders: Set<UInt8> = [0x2E, 0x21, 0x3F, 0x0A]
        guard bytes.suffix(new).contains(where: enders.contains) else { return nil }
        guard section.isDecided || drafts.count - 1 < request.policy.effectiveMinimum,
            let verdict = Verdict.find(in: sectionText), verdict.isClear, !verdict.isNeeded
        else { return nil }
        let start = max(section.shown, section.start + verdict.range.lowerBound)
        if section.isDecided {
            // The feedback contradicts the verdict that stands: it ends before that.
            return passToRevision(
                at: SectionScanner.trimmed(bytes, from: section.shown, to: start), .stopped)
        }
        return score(replacing(start, cause: .sentence(end: bytes.count), written: false))
    }

    private var sectionText: String {
        String(decoding: tokens.bytes[section.start...], as: UTF8.self)
    }

    /// Whether the text ends in "Revision is" at the beginning of a sentence.
    private var endsInStem: Bool {
        let bytes = tokens.bytes
        let stem = Array(Verdict.stem.utf8)
        let start = bytes.count - stem.count
        guard start >= section.start, bytes[start...].elementsEqual(stem) else { return false }
        if start == section.start { return true }
        let end = SectionScanner.trimmed(bytes, from: section.start, to: start)
        guard end < start else { return false }
        if end == section.start || bytes[end..<start].contains(0x0A) { return true }
        return [0x2E, 0x21, 0x3F, 0x22, 0x29, 0x3A].contains(bytes[end - 1])
    }

    /// A scoring that puts a verdict in place of the text from a byte on.
    private func replacing(
        _ start: Int, cause: VerdictScoring.Cause, written: Bool?
    ) -> VerdictScoring {
        let bytes = tokens.bytes
        let end = max(
            section.shown, SectionScanner.trimmed(bytes, from: section.start, to: start))
        // The white space before the verdict stays as the model wrote it.
        let space =
            end < start
            ? String(decoding: bytes[end..<start], as: UTF8.self)
            : end == section.start || SectionScanner.isSpace(bytes[end - 1]) ? "" : " "
        return VerdictScoring(
            cause, written: written, base: Array(bytes[..<end]),
            needed: space + Verdict.neededText, notNeeded: space + Verdict.notNeededText,
            tokens: tokens)
    }

    mutating func endFeedback(at end: Int, _ ending: Ending) -> SequenceCommand {
        if section.isDecided { return passToRevision(at: end, ending) }
        let text = String(decoding: tokens.bytes[section.start..<end], as: UTF8.self)
        let cause = VerdictScoring.Cause.ended(at: end, ending)
        if let verdict = Verdict.find(in: text) {
            let start = section.start + verdict.range.lowerBound
            return score(replacing(start, cause: cause, written: verdict.isNeeded))
        }
        let kept = max(
            section.shown, SectionScanner.trimmed(tokens.bytes, from: section.start, to: end))
        var base = Array(tokens.bytes[..<kept])
        let closers: Set<UInt8> = [0x2E, 0x21, 0x3F, 0x3A, 0x22, 0x29, 0x0A, 0x20]
        if kept > section.start, let last = base.last, !closers.contains(last) {
            base.append(0x2E)
        }
        let isOpen = kept == section.start || base.last.map(SectionScanner.isSpace) ?? true
        let space = isOpen ? "" : " "
        return score(
            VerdictScoring(
                cause, written: nil, base: base, needed: space + Verdict.neededText,
                notNeeded: space + Verdict.notNeededText, tokens: tokens))
    }

    // MARK: scoring

    private mutating func score(_ scoring: VerdictScoring) -> SequenceCommand {
        let longest = max(scoring.neededIDs.count, scoring.notNeededIDs.count)
        guard prompt.count + longest <= situation.contextLength else { return endEarly(.length) }
        phase = .scoring(scoring)
        return feed(Array(scoring.neededIDs[..<scoring.shared]))
    }

    /// The next step of a scoring whose last feed was answered.
    mutating func goOn(_ scoring: VerdictScoring) -> SequenceCommand {
        var scoring = scoring
        switch scoring.stage {
        case .stem:
            scoring.stage = .needed
            if let command = feedRest(scoring.neededIDs, scoring) { return command }
            fallthrough
        case .needed:
            scoring.score(scoring.neededIDs, as: .needed)
            scoring.stage = .notNeeded
            if let command = feedRest(scoring.notNeededIDs, scoring) { return command }
            fallthrough
        case .notNeeded:
            scoring.score(scoring.notNeededIDs, as: .notNeeded)
            return decide(scoring)
        }
    }

    /// Feeds a continuation but for its last token, whose logits nobody needs.
    private mutating func feedRest(
        _ ids: [TokenID], _ scoring: VerdictScoring
    ) -> SequenceCommand? {
        phase = .scoring(scoring)
        guard ids.count - scoring.shared > 1 else { return nil }
        cached = Array(ids.dropLast())
        return .feed(
            Array(ids[scoring.shared..<ids.count - 1]), keeping: prompt.count + scoring.shared,
            wanted: .all)
    }

    // MARK: deciding

    private mutating func decide(_ scoring: VerdictScoring) -> SequenceCommand {
        let probability = scoring.probability
        if case .slot = scoring.cause, scoring.mass < Self.smallestMass {
            section.rejectedSlot = tokens.bytes.count
            phase = .writing
            return feed(tokens.ids)
        }
        let policy = request.policy
        var isNeeded = probability >= policy.threshold
        if let written = scoring.written, policy.threshold == 0.5 {
            isNeeded = written
        } else if scoring.written == nil, case .ended(_, .heading) = scoring.cause {
            // Whoever goes on to revise has decided, without saying so.
            isNeeded = true
        }
        let decision = policy.atVerdict(status(), isNeeded: isNeeded)
        var chosen = scoring
        if decision.forced, decision.finish == nil, isRewritable, scoring.written != true {
            if let command = rewrite(scoring) { return command }
            chosen = section.nearest ?? scoring
        }
        section.isDecided = true
        emit(
            .verdict(
                section.segment,
                CommittedVerdict(
                    isNeeded: decision.needed, probability: chosen.probability,
                    isForced: decision.forced, rewritten: section.rewritten)))
        return decision.needed
            ? goOnNeeded(chosen, decision.finish) : finishNotNeeded(chosen)
    }

    /// Makes the text another one that ends in a verdict, and counts the verdict's tokens.
    private mutating func replaceVerdict(_ text: [UInt8], after base: [UInt8]) {
        tokens.replace(text)
        usage.verdict += max(1, tokens.ids.count - tokens.continuation(base).count)
    }

    private mutating func finishNotNeeded(_ scoring: VerdictScoring) -> SequenceCommand {
        if scoring.written == false {
            // The model's own words stand.
            switch scoring.cause {
            case .sentence(let end), .ended(let end, _): return closeFeedback(at: end, .stop)
            case .slot: break
            }
        }
        replaceVerdict(scoring.notNeededText + Array(".".utf8), after: scoring.base)
        return closeFeedback(at: tokens.bytes.count, .stop)
    }

    private mutating func goOnNeeded(
        _ scoring: VerdictScoring, _ reason: Revising.RevisionPolicy.Reason?
    ) -> SequenceCommand {
        let stop = Array(".".utf8)
        if case .ended(let end, let ending) = scoring.cause {
            if scoring.written == true {
                if let reason { return closeFeedback(at: end, ChainEnd(reason)) }
                return passToRevision(at: end, ending)
            }
            replaceVerdict(scoring.neededText + stop, after: scoring.base)
            if let reason { return closeFeedback(at: tokens.bytes.count, ChainEnd(reason)) }
            return passToRevision(at: tokens.bytes.count, .stopped)
        }
        if let reason {
            replaceVerdict(scoring.neededText + stop, after: scoring.base)
            return closeFeedback(at: tokens.bytes.count, ChainEnd(reason))
        }
        // The model goes on with the feedback, or to the revision, from the verdict it was given.
        var text = scoring.neededText
        if case .sentence = scoring.cause { text += stop }
        replaceVerdict(text, after: scoring.base)
        guard fits else { return endEarly(.length) }
        phase = .writing
        return feed(tokens.ids)
    }

    private mutating func closeFeedback(at end: Int, _ reason: ChainEnd) -> SequenceCommand {
        _ = close(at: end)
        return finish(at: end, reason)
    }

    private mutating func passToRevision(at end: Int, _ ending: Ending) -> SequenceCommand {
        _ = close(at: end)
        phase = .writing
        return pass(to: .revision(drafts.count), from: end, ending)
    }
}
