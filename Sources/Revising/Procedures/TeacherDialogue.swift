/// The messages a procedure has exchanged so far.
enum TeacherDialogue: Sendable {
    case single(SingleTeacher)
    case teacherAndStudent(TeacherAndStudent)

    var answerMessages: [ChatMessage] {
        switch self {
        case .single(let teacher): teacher.answerMessages
        case .teacherAndStudent(let both): both.student
        }
    }

    /// What to send for feedback on the last draft.
    var critiqueMessages: [ChatMessage] {
        switch self {
        case .single(let teacher): teacher.messages
        case .teacherAndStudent(let both): both.teacher
        }
    }

    /// What to send for a revision after the last feedback.
    var reviseMessages: [ChatMessage] {
        switch self {
        case .single(let teacher): teacher.messages
        case .teacherAndStudent(let both): both.student
        }
    }

    /// - Parameter number: 1 for the answer, 2 for the first revision.
    mutating func add(draft: String, number: Int) {
        switch self {
        case .single(var teacher):
            teacher.add(draft: draft, number: number)
            self = .single(teacher)
        case .teacherAndStudent(var both):
            both.add(draft: draft, number: number)
            self = .teacherAndStudent(both)
        }
    }

    mutating func add(feedback: String) {
        switch self {
        case .single(var teacher):
            teacher.add(feedback: feedback)
            self = .single(teacher)
        case .teacherAndStudent(var both):
            both.add(feedback: feedback)
            self = .teacherAndStudent(both)
        }
    }
}

/// alpaca and sharegpt: one conversation, whose history is dropped from the third draft on.
struct SingleTeacher: Sendable {
    let context: String
    var messages: [ChatMessage] = []
    var isLate = false

    init(instruction: String, input: String) {
        context = TeacherPrompts.context(instruction: instruction, input: input)
    }

    var answerMessages: [ChatMessage] { [ChatMessage(.user, context)] }

    mutating func add(draft: String, number: Int) {
        let critique = ChatMessage(
            .user, TeacherPrompts.critique(context: context, answer: draft))
        if number > 2 {
            messages = [critique]
            isLate = true
        } else {
            if number > 1 { messages.append(ChatMessage(.assistant, draft)) }
            messages.append(critique)
        }
    }

    mutating func add(feedback: String) {
        messages.append(ChatMessage(.assistant, feedback))
        messages.append(ChatMessage(.user, TeacherPrompts.revise(late: isLate)))
    }
}

/// flan: the teacher sees the gold answer, the student never does; both histories grow.
struct TeacherAndStudent: Sendable {
    var teacher: [ChatMessage]
    var student: [ChatMessage]

    init(instruction: String, gold: String) {
        teacher = [
            ChatMessage(.user, TeacherPrompts.teacherRole),
            ChatMessage(.user, TeacherPrompts.teacherInstruction(instruction)),
            ChatMessage(.user, TeacherPrompts.teacherGold(gold)),
        ]
        student = [ChatMessage(.user, instruction)]
    }

    mutating func add(draft: String, number: Int) {
        student.append(ChatMessage(.assistant, draft))
        if number > 1 { teacher.append(ChatMessage(.user, draft)) }
        let critique =
            number == 1
            ? TeacherPrompts.firstCritique(answer: draft)
            : TeacherPrompts.laterCritique(answer: draft)
        teacher.append(ChatMessage(.user, critique))
    }

    mutating func add(feedback: String) {
        teacher.append(ChatMessage(.assistant, feedback))
        student.append(ChatMessage(.user, feedback))
        student.append(ChatMessage(.user, TeacherPrompts.reviseMinimally))
    }
}
