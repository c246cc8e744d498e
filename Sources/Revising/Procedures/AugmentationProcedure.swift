/// Makes one chain with a teacher: a state machine that asks and is answered, without I/O.
///
/// ```
/// start ──(sharegpt)──────────────┐
///   └─▶ awaiting answer ──▶ awaiting feedback ──accepted, or five drafts──▶ finished
///                                ▲       │needed
///                                │       ▼
///                                └── awaiting revision ──N/A──▶ finished
/// ```
/// At most five drafts, so at most ten calls (nine for sharegpt).
public struct AugmentationProcedure: Sendable {
    /// Which of the original's three scripts.
    public enum Kind: String, Sendable, CaseIterable {
        /// The teacher writes the answer too.
        case alpaca
        /// The answer is given.
        case sharegpt
        /// A student answers and revises; the teacher knows the gold answer. Also math and code.
        case flan
    }

    public enum Step: Sendable, Equatable {
        case ask(ChatCall)
        case finished(AugmentedChain)
    }

    /// Why a task cannot be augmented.
    public enum TaskError: Error, Equatable, CustomStringConvertible {
        case noOutput(Kind)

        public var description: String {
            switch self {
            case .noOutput(let kind):
                "the task has no output, which procedure \(kind.rawValue) needs; add the field or "
                    + "use procedure alpaca"
            }
        }
    }

    private enum State {
        case start, awaitingAnswer, awaitingFeedback, awaitingRevision, finished
    }

    public static let maximumDrafts = 5

    private let mode: ChainMode
    private var chain: AugmentedChain
    private var dialogue: TeacherDialogue
    private var state = State.start
    private let gold: String
    private let givenAnswer: String?

    public init(kind: Kind, mode: ChainMode, task: AugmentationTask) throws(TaskError) {
        guard kind == .alpaca || task.output != nil else { throw TaskError.noOutput(kind) }
        self.mode = mode
        gold = kind == .flan ? task.output ?? "" : ""
        givenAnswer = kind == .sharegpt ? task.output : nil
        let folds = kind == .flan && !task.input.isEmpty
        chain = AugmentedChain(
            iterationTruncated: false, output: kind == .flan ? task.output : nil,
            instruction: folds ? "\(task.instruction)\n\(task.input)" : task.instruction,
            input: kind == .flan ? "" : task.input, rounds: [], flags: [])
        dialogue =
            kind == .flan
            ? .teacherAndStudent(TeacherAndStudent(instruction: chain.instruction, gold: gold))
            : .single(SingleTeacher(instruction: task.instruction, input: task.input))
    }

    /// Takes the reply to the last call and says what comes next.
    ///
    /// - Parameter reply: nil at the first step only.
    public mutating func next(_ reply: TeacherReply? = nil) -> Step {
        precondition(
            (reply == nil) == (state == .start || state == .finished),
            "in state \(state) a reply was \(reply == nil ? "missing" : "given")")
        let reply = reply ?? TeacherReply("")
        switch state {
        case .start:
            if let givenAnswer { return critique(givenAnswer) }
            state = .awaitingAnswer
            return ask(dialogue.answerMessages, maximumTokens: 512)
        case .awaitingAnswer: return takeAnswer(reply)
        case .awaitingFeedback: return takeFeedback(reply)
        case .awaitingRevision: return takeRevision(reply)
        case .finished: return .finished(chain)
        }
    }

    // MARK: steps

    private mutating func takeAnswer(_ reply: TeacherReply) -> Step {
        note(.draftCut, if: reply.isCut)
        guard case .teacherAndStudent = dialogue else { return critique(reply.text) }
        switch mode {
        case .selfee: return critique(SelfeeCleaning.cleanRevision(reply.text))
        case .strict: return critique(StrictCleaning.clean(reply.text))
        }
    }

    private mutating func takeRevision(_ reply: TeacherReply) -> Step {
        if isNotAvailable(reply.text) {
            note(.revisionNotAvailable, if: true)
            return finish()
        }
        note(.draftCut, if: reply.isCut)
        switch mode {
        case .selfee:
            let cleaned = SelfeeCleaning.cleanRevision(reply.text)
            return critique(SelfeeCleaning.dropApology(cleaned))
        case .strict:
            let draft = StrictCleaning.clean(reply.text)
            note(.fixpoint, if: draft == chain.rounds.last?.draft)
            return critique(draft)
        }
    }

    private mutating func critique(_ draft: String) -> Step {
        chain.rounds.append(Round(draft: draft))
        dialogue.add(draft: draft, number: chain.rounds.count)
        state = .awaitingFeedback
        return ask(dialogue.critiqueMessages, maximumTokens: mode == .selfee ? 128 : 256)
    }

    private mutating func takeFeedback(_ reply: TeacherReply) -> Step {
        let isFirst = chain.rounds.count == 1
        let feedback: String
        let isAccepted: Bool
        switch mode {
        case .selfee:
            feedback = isFirst ? reply.text : SelfeeCleaning.normalizeVerdict(reply.text)
            isAccepted = SelfeeVerdict.stops(feedback)
        case .strict:
            (feedback, isAccepted) = judged(reply)
        }
        chain.rounds[chain.rounds.count - 1].feedback = feedback
        if isAccepted { return finish() }
        if chain.rounds.count >= Self.maximumDrafts {
            chain.iterationTruncated = true
            note(.notAccepted, if: true)
            return finish()
        }
        dialogue.add(feedback: feedback)
        state = .awaitingRevision
        return ask(dialogue.reviseMessages, maximumTokens: 512)
    }

    /// A feedback that ends in a verdict, and whether that verdict accepts the draft.
    private mutating func judged(_ reply: TeacherReply) -> (feedback: String, isAccepted: Bool) {
        var feedback = Bytes(reply.text).trimmed.text
        let score = Score.find(in: feedback)
        let verdict = Verdict.find(in: feedback)
        let isAccepted: Bool
        if let verdict, verdict.isClear || !reply.isCut {
            isAccepted = !verdict.isNeeded
            if !verdict.isClear { feedback = adding(isNeeded: verdict.isNeeded, to: feedback) }
        } else {
            // The prompt says that a score below nine should be revised.
            isAccepted = score.map { $0 >= 9 } ?? false
            if reply.isCut {
                note(.feedbackCut, if: true)
                feedback = StrictCleaning.dropCutSentence(feedback)
            }
            feedback = adding(isNeeded: !isAccepted, to: feedback)
            note(.verdictAdded, if: true)
        }
        note(.acceptedBelowNine, if: isAccepted && score.map { $0 < 9 } ?? false)
        // Shorter golds ("5", "x") occur by chance.
        let leaks =
            gold.utf8.count >= 8 && Bytes(feedback).firstRange(of: Array(gold.utf8)) != nil
        note(.goldInFeedback, if: leaks)
        return (feedback, isAccepted)
    }

    private func adding(isNeeded: Bool, to feedback: String) -> String {
        let text = Bytes(feedback).trimmedAtEnd
        guard let last = text.last else { return Verdict.text(needed: isNeeded) + "." }
        let stop = last.isLetter || last.isDigit ? "." : ""
        return text.text + stop + " " + Verdict.text(needed: isNeeded) + "."
    }

    private mutating func finish() -> Step {
        state = .finished
        return .finished(chain)
    }

    // MARK: parts

    private func ask(_ messages: [ChatMessage], maximumTokens: Int) -> Step {
        .ask(ChatCall(messages: messages, maximumTokens: maximumTokens))
    }

    private func isNotAvailable(_ revision: String) -> Bool {
        let text = Bytes(revision)
        switch mode {
        case .selfee: return text.contains("N/A") && !Bytes(gold).contains("N/A")
        case .strict:
            // An answer may speak of N/A; only one that says nothing else gives up.
            let words = text.trimmed
            return (words.elementsEqual("N/A".utf8) || words.elementsEqual("N/A.".utf8))
                && !Bytes(gold).contains("N/A")
        }
    }

    private mutating func note(_ flag: AugmentedChain.Flag, if holds: Bool) {
        guard mode == .strict, holds, !chain.flags.contains(flag) else { return }
        chain.flags.append(flag)
    }
}
