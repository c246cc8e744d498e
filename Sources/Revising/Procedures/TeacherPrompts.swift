/// What teacher and student are asked, word for word as the original asks it.
public enum TeacherPrompts {
    /// Ends every request for a critique.
    public static let critiqueTail =
        "Are there any comments or critiques for the above answer? If so, write one under 100"
        + " words. You may score the quality of the answer on the scale of 1-10 (1: no code/no"
        + " sense; 10: perfect) Also, classify if revision is needed by responding \"Revision is"
        + " needed\" or \"Revision is not needed\" at the end. Normally, score of less than 9"
        + " should be revised.\n\nCritique:"

    private static let plainStyle =
        " Your revision should be simple and clear, so do not add any rhetorics such as apology"
        + " for the past mistake."
    private static let firstTry = " Write as if the revised answer is the first try."

    /// The instruction as alpaca and sharegpt give it, a line break at its end.
    public static func context(instruction: String, input: String) -> String {
        input.isEmpty ? "\(instruction)\n" : "\(instruction)\n\(input)\n"
    }

    /// Asks for feedback on an answer, the instruction before it.
    public static func critique(context: String, answer: String) -> String {
        "\(context)Here is a proposed answer:\n\(answer)\n\n\(critiqueTail)"
    }

    /// Asks for a revision; the late form no longer speaks of a first try.
    public static func revise(late: Bool) -> String {
        "Revise the answer based on your own critique within 500 words.\(plainStyle)"
            + (late ? "" : firstTry) + "\nRevision:"
    }

    /// What the teacher who knows the gold answer is told first.
    public static let teacherRole =
        "You are given a role as a teaching assistant. You are going to get an instruction and its"
        + " corresponding answer. Your job is to make me find the answer by giving an appropriate"
        + " feedback. If the proposed answer is different from the ground truth, that means there"
        + " should be some revision. You should guide me by giving an instruction that helps me"
        + " find the answer without directly mentioning it. You should not directly mention about"
        + " the answer when giving a feedback, because that is a cheating."

    public static func teacherInstruction(_ instruction: String) -> String {
        "Here is the instruction:\n\(instruction)\n"
    }

    public static func teacherGold(_ gold: String) -> String {
        "Here is the answer:\n\(gold)\n"
    }

    public static func firstCritique(answer: String) -> String {
        "Here is my initial answer:\n\(answer)\n\n\(critiqueTail)"
    }

    public static func laterCritique(answer: String) -> String {
        "Here is a revised proposed answer:\n\(answer)\n\n\(critiqueTail)"
    }

    /// Asks the student for a revision.
    public static let reviseMinimally =
        "Revise the answer based on your own critique with minimal edits.\(plainStyle)\(firstTry)"
        + "\nRevision:"
}
