internal import Judging
public import Revising

/// The built-in teacher and judge: answers drills imperfectly, criticises truthfully, improves.
///
/// It understands the requests of the three augmentation procedures and of the judge, by their
/// words, and holds no state: everything it needs stands in the messages. What is neither a drill
/// nor about one is answered by `PlainTutor`.
///
/// ```
/// last message                                     reply
/// judge's template                                 "a b", then why
/// … ends with the critique's tail                  feedback with the verdict
/// "Revise the answer based on your own critique…"  the next draft
/// anything else                                    the first draft
/// ```
public struct Tutor: Sendable {
    /// What a request was taken for.
    public enum Part: String, Sendable, CaseIterable {
        case answer, critique, revision, judgement
    }

    public struct Reply: Sendable, Equatable {
        public var part: Part
        public var text: String
    }

    /// Of the numbers in *add* drills.
    public let base: Int

    public init(base: Int = 10) {
        self.base = base
    }

    public func reply(to messages: [ChatMessage]) -> Reply {
        guard let last = messages.last(where: { $0.role == .user })?.content else {
            return Reply(part: .answer, text: PlainTutor.answer(to: ""))
        }
        if let pair = JudgedPair(recognizing: last) {
            return Reply(part: .judgement, text: judgement(of: pair))
        }
        if last.hasSuffix(TeacherPrompts.critiqueTail) {
            return Reply(part: .critique, text: critique(last, in: messages))
        }
        if last.hasPrefix("Revise the answer based on your own critique") {
            return Reply(part: .revision, text: revision(in: messages))
        }
        let text = drill(last)?.drafts[0] ?? PlainTutor.answer(to: last)
        return Reply(part: .answer, text: text)
    }

    private func drill(_ instruction: String) -> Drill? {
        Drill(recognizing: instruction, base: base)
    }

    private func judgement(of pair: JudgedPair) -> String {
        guard let drill = drill(pair.question) else { return PlainTutor.judgement(of: pair) }
        let scores = [drill.score(of: pair.first), drill.score(of: pair.second)]
        let reasons = zip([pair.first, pair.second], scores).enumerated().map { place, judged in
            let state = judged.1 == 10 ? "is right" : "is wrong in \(wrong(judged.1)) of its places"
            return "Assistant \(place + 1) \(state)."
        }
        return Self.line(scores) + "\n" + reasons.joined(separator: " ")
            + " The right answer was checked, not guessed: \(drill.answer)"
    }

    private func wrong(_ score: Double) -> String {
        score >= 5 ? "some" : "most"
    }

    static func line(_ scores: [Double]) -> String {
        scores.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }.joined(separator: " ")
    }

    private func critique(_ request: String, in messages: [ChatMessage]) -> String {
        let asked = CritiqueRequest(request)
        let instruction = asked.instruction ?? Self.taughtInstruction(in: messages) ?? ""
        guard let drill = drill(instruction) else {
            return PlainTutor.critique(of: asked.answer, to: instruction)
        }
        return drill.critique(of: asked.answer).text
    }

    private func revision(in messages: [ChatMessage]) -> String {
        let requests = messages.filter {
            $0.role == .user && $0.content.hasSuffix(TeacherPrompts.critiqueTail)
        }
        let instruction: String
        let answer: String
        if let request = requests.last {
            let asked = CritiqueRequest(request.content)
            instruction = asked.instruction ?? ""
            answer = asked.answer
        } else {
            // The student's conversation: its own answers are the assistant's messages.
            instruction = messages.first { $0.role == .user }?.content ?? ""
            answer = messages.last { $0.role == .assistant }?.content ?? ""
        }
        guard let drill = drill(instruction) else {
            return PlainTutor.revision(of: answer, to: instruction)
        }
        return drill.revision(of: answer)
    }

    /// The instruction the teaching assistant was told in a message of its own.
    private static func taughtInstruction(in messages: [ChatMessage]) -> String? {
        let opening = TeacherPrompts.teacherInstruction("").dropLast()
        return messages.first { $0.content.hasPrefix(opening) }.map {
            String($0.content.dropFirst(opening.count))
        }
    }
}

/// A request for feedback taken apart: the instruction, where it names one, and the answer.
struct CritiqueRequest: Equatable {
    var instruction: String?
    var answer: String

    /// - Parameter text: ends with the critique's tail.
    init(_ text: String) {
        var body = text[...]
        body.removeLast(TeacherPrompts.critiqueTail.count)
        if body.hasSuffix("\n\n") { body.removeLast(2) }
        for opening in ["Here is my initial answer:\n", "Here is a revised proposed answer:\n"]
        where body.hasPrefix(opening) {
            answer = String(body.dropFirst(opening.count))
            return
        }
        let mark = "Here is a proposed answer:\n"
        guard let start = body.firstRange(of: mark) else {
            answer = String(body)
            return
        }
        instruction = String(body[..<start.lowerBound])
        answer = String(body[start.upperBound...])
    }
}
