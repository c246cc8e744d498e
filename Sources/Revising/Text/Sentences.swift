/// Splits one line into sentences, after the rules of Punkt with a fixed table of English words.
///
/// A full stop ends a sentence unless its word is an abbreviation, an initial or a number whose
/// successor does not look like a beginning; `?` and `!` always do; closing quotes and brackets
/// stay with the sentence they close. White space between sentences belongs to none.
///
/// - Source: Kiss and Strunk 2006, "Unsupervised multilingual sentence boundary detection"; the
///   tables stand in for the statistics that Punkt learns.
enum Sentences {
    /// The ranges of the sentences; none for a blank line.
    static func ranges(in line: Bytes) -> [Range<Int>] {
        let line = line.trimmedAtEnd
        var ranges: [Range<Int>] = []
        var start = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            guard line[index].endsSentence, isBoundary(at: index, in: line) else {
                index += 1
                continue
            }
            let end = closing(after: index + 1, in: line)
            if start < end { ranges.append(start..<end) }
            start = end
            while start < line.endIndex, line[start].isSpace { start += 1 }
            index = max(start, index + 1)
        }
        if start < line.endIndex { ranges.append(start..<line.endIndex) }
        return ranges
    }

    /// Closing quotes and brackets belong to the sentence when white space or the end follows.
    private static func closing(after start: Int, in line: Bytes) -> Int {
        var end = start
        while end < line.endIndex, line[end].closes { end += 1 }
        return end == line.endIndex || line[end].isSpace ? end : start
    }

    private static func isBoundary(at index: Int, in line: Bytes) -> Bool {
        let next = index + 1
        guard next < line.endIndex, line[next].isSpace || line[next].standsAlone else {
            return false
        }
        guard line[index] == .dot else { return true }
        let follower = Follower(after: next, in: line)
        if index > line.startIndex, line[index - 1] == .dot { return follower == .starter }
        var start = index
        while start > line.startIndex, !line[start - 1].isSpace, !line[start - 1].standsAlone {
            start -= 1
        }
        let word = line[start..<index].lowercased
        if word.isEmpty { return true }
        if word.count == 1, word.allSatisfy(\.isLetter) { return follower == .starter }
        if isAbbreviation(word) { return follower == .starter }
        if word.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ",") || $0 == .dot }) {
            return follower != .small && follower != .punctuation
        }
        return true
    }

    private static func isAbbreviation(_ word: Bytes) -> Bool {
        let whole = word.text
        if abbreviations.contains(whole) { return true }
        guard let hyphen = word.lastIndex(of: UInt8(ascii: "-")) else { return false }
        return abbreviations.contains(word[(hyphen + 1)...].text)
    }

    /// What stands after a full stop.
    private enum Follower {
        case starter, capital, small, punctuation, other

        init(after start: Int, in line: Bytes) {
            let rest = line[start...].drop { $0.isSpace }
            guard let first = rest.first else {
                self = .other
                return
            }
            if first.isLowercase {
                self = .small
            } else if first.isUppercase {
                let word = rest.prefix { $0.isLetter || $0 == UInt8(ascii: "'") }.lowercased.text
                self = starters.contains(word) ? .starter : .capital
            } else {
                self = [44, 46, 58, 59, 33, 63].contains(first) ? .punctuation : .other
            }
        }
    }

    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "rev", "gen", "col", "sgt", "capt", "lt",
        "gov", "sen", "rep", "hon", "pres", "messrs", "mt", "ft", "ave", "blvd", "rd", "inc", "ltd",
        "corp", "co", "bros", "dept", "univ", "assn", "est", "etc", "vs", "v", "e.g", "i.e", "eg",
        "cf", "al", "et", "ca", "approx", "fig", "figs", "eq", "eqs", "sec", "ch", "vol", "no",
        "nos", "pp", "p", "ed", "eds", "trans", "ref", "refs", "art", "jan", "feb", "mar", "apr",
        "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu",
        "thurs", "fri", "sat", "sun", "a.m", "p.m", "u.s", "u.k", "u.n", "u.s.a", "d.c", "n.y",
        "l.a", "ph.d", "m.d", "b.a", "m.a", "b.c", "a.d", "j.r", "w.r.t", "resp", "viz", "oz", "lb",
        "lbs", "min", "max", "hr", "hrs", "sq", "cu", "adm", "maj", "cmdr", "pvt", "cpl", "supt",
        "esq", "calif", "conn", "fla", "ga", "ill", "ind", "kan", "ky", "la", "mass", "md", "mich",
        "minn", "miss", "mo", "okla", "ore", "pa", "tenn", "tex", "va", "vt", "wash", "wis",
    ]

    /// Words that, with a capital after an abbreviation, begin a sentence.
    private static let starters: Set<String> = [
        "the", "a", "an", "this", "that", "these", "those", "it", "its", "he", "she", "they", "we",
        "you", "i", "there", "here", "in", "on", "at", "for", "from", "with", "as", "if", "when",
        "while", "where", "after", "before", "since", "because", "although", "though", "however",
        "but", "and", "or", "so", "also", "then", "thus", "therefore", "moreover", "furthermore",
        "what", "who", "how", "why", "which", "is", "are", "was", "were", "do", "does", "did",
        "can", "could", "will", "would", "should", "may", "might", "must", "his", "her", "their",
        "our", "your", "my", "one", "some", "many", "most", "all", "each", "every", "both",
        "another", "other", "no", "not", "to", "by", "now", "please", "note", "use", "try",
        "overall", "additionally", "finally", "first", "next", "instead",
    ]
}

extension UInt8 {
    /// `.`, `?`, `!`.
    fileprivate var endsSentence: Bool { self == .dot || self == 63 || self == 33 }
    /// `"`, `'`, `)`, `]`, `}`.
    fileprivate var closes: Bool { [34, 39, 41, 93, 125].contains(self) }
    /// Punctuation that is a token of its own: `? ! ) " ; } ] * : @ ' ( { [`.
    fileprivate var standsAlone: Bool {
        [63, 33, 41, 34, 59, 125, 93, 42, 58, 64, 39, 40, 123, 91].contains(self)
    }
}
