/// Finds verdicts in a feedback's words.
///
/// ```
/// [no|not any|a|the|further …] revision(s) [for …] [is|may be|seems …] [not] needed|necessary|…
/// [there is] no need for|of|to [any …] revision|revise
/// needs|requires|does not need [any …] revision | needs|has|should to be revised
/// [no|any|further …] changes|improvements … needed                         (a hint)
/// ```
struct VerdictGrammar {
    private let text: Bytes
    private let words: [Word]

    init(_ feedback: String) {
        text = Bytes(feedback)
        words = Words.words(in: text)
    }

    func verdicts() -> [Verdict] {
        var verdicts: [Verdict] = []
        for index in words.indices {
            let word = words[index].text
            let found: Verdict? =
                if Lexicon.revisionNouns.contains(word) {
                    nounVerdict(at: index, isClear: true)
                } else if Lexicon.revisionVerbs.contains(word) {
                    verbVerdict(at: index)
                } else if Lexicon.changeNouns.contains(word) {
                    nounVerdict(at: index, isClear: false)
                } else if Lexicon.critiqueNouns.contains(word), let no = determiner(before: index),
                    words[no].text == "no"
                {
                    verdict(from: no, through: index, needed: false, isClear: false)
                } else {
                    nil
                }
            guard let found else { continue }
            // One verdict a phrase: "no changes or revisions are needed" is found by both nouns.
            if let last = verdicts.last, last.range.overlaps(found.range) {
                guard found.isClear || !last.isClear else { continue }
                verdicts.removeLast()
            }
            verdicts.append(found)
        }
        return verdicts
    }

    private func verdict(
        from first: Int, through last: Int, needed: Bool, isClear: Bool
    ) -> Verdict? {
        guard !isHypothetical(before: first) else { return nil }
        return Verdict(
            isNeeded: needed,
            range: words[first].range.lowerBound..<words[last].range.upperBound, isClear: isClear)
    }

    /// "if revision is needed", "whether a revision is needed or not" say nothing.
    private func isHypothetical(before index: Int) -> Bool {
        var before = index - 1
        while before >= 0, words[before].sentence == words[index].sentence {
            let word = words[before].text
            if Lexicon.hypothetical.contains(word) { return true }
            guard
                Lexicon.determiners.contains(word) || Lexicon.adjectives.contains(word)
                    || word == "or" || word == "not"
            else { return false }
            before -= 1
        }
        return false
    }

    // MARK: the noun and its predicate

    private func nounVerdict(at noun: Int, isClear: Bool) -> Verdict? {
        let first = phraseStart(of: noun)
        if let found = governed(from: first, noun: noun, isClear: isClear) { return found }
        if let found = predicated(from: first, noun: noun, isClear: isClear) { return found }
        // "I have no revisions": the noun phrase alone says it.
        guard isClear, words[first].text == "no", endsPhrase(at: noun) else { return nil }
        return verdict(from: first, through: noun, needed: false, isClear: false)
    }

    /// "[no further] revision(s) [of this answer] [is] [not] needed".
    private func predicated(from first: Int, noun: Int, isClear: Bool) -> Verdict? {
        var negations = Lexicon.denials.contains(words[first].text) ? 1 : 0
        var isSoft = false
        var index = noun + 1
        let limit = min(words.count, noun + 10)
        while index < limit, words[index].sentence == words[noun].sentence {
            let word = words[index].text
            if let polarity = Lexicon.predicates[word] {
                if polarity == .unneeded { negations += 1 }
                isSoft = isSoft || polarity == .soft
                let clause = negatedClause(before: first, noun: noun)
                let start = clause ?? first
                if clause != nil { negations += 1 }
                return verdict(
                    from: start, through: index, needed: negations.isMultiple(of: 2),
                    isClear: isClear && !isSoft)
            }
            if Lexicon.negations.contains(word) {
                negations += 1
            } else if Lexicon.revisionNouns.contains(word) || !Lexicon.links.contains(word) {
                return nil
            }
            index += 1
        }
        return nil
    }

    /// "no need for any revision", "needs a revision", "does not require further revisions".
    private func governed(from first: Int, noun: Int, isClear: Bool) -> Verdict? {
        var index = first - 1
        if index >= 0, Lexicon.needPrepositions.contains(words[index].text) { index -= 1 }
        guard index >= 0, words[index].sentence == words[noun].sentence else { return nil }
        let word = words[index].text
        let isSoft = Lexicon.softVerbs.contains(word)
        guard Lexicon.needVerbs.contains(word) || isSoft else { return nil }
        // "revision needed: a revision of …" is the predicate of what stands before it.
        if let before = nounBefore(index), Lexicon.revisionNouns.contains(words[before].text) {
            return nil
        }
        var negations = words[first].text == "no" ? 1 : 0
        let (start, negated) = governor(of: index)
        if negated { negations += 1 }
        return verdict(
            from: start, through: noun, needed: negations.isMultiple(of: 2),
            isClear: isClear && !isSoft)
    }

    /// The start of the clause a verb of needing belongs to, and whether it is denied there.
    private func governor(of verb: Int) -> (start: Int, negated: Bool) {
        let start = clauseStart(of: verb)
        let negated = words[start..<verb].contains {
            Lexicon.negations.contains($0.text) || $0.text == "no"
        }
        return (start, negated)
    }

    private func nounBefore(_ index: Int) -> Int? {
        var before = index - 1
        while before >= 0, words[before].sentence == words[index].sentence,
            Lexicon.links.contains(words[before].text)
                || Lexicon.negations.contains(words[before].text)
        {
            before -= 1
        }
        return before >= 0 && words[before].sentence == words[index].sentence ? before : nil
    }

    // MARK: the verb

    /// "no need to revise", "needs to be revised", "should be revised".
    private func verbVerdict(at verb: Int) -> Verdict? {
        let isPassive = words[verb].text == "revised"
        let start = clauseStart(of: verb)
        let before = words[start..<verb]
        guard let need = before.lastIndex(where: { Lexicon.obligations.contains($0.text) }),
            words[need + 1..<verb].allSatisfy({
                Lexicon.verbLinks.contains($0.text) || Lexicon.negations.contains($0.text)
            })
        else { return nil }
        let word = words[need].text
        let isNeedWord = Lexicon.needVerbs.contains(word)
        // "it is necessary to revise" is clear; "you should revise the docstring" a hint.
        let isClear = isNeedWord || isPassive && Lexicon.strongModals.contains(word)
        let negations = before.count {
            Lexicon.negations.contains($0.text) || $0.text == "no" || $0.text == "unnecessary"
        }
        let needed = negations.isMultiple(of: 2)
        // A passive without a verb of needing tells of what could be done: "it can be revised".
        return verdict(from: start, through: verb, needed: needed, isClear: isClear)
    }

    // MARK: phrases and clauses

    /// Where the noun phrase begins: over "no further", "any major", "changes or".
    private func phraseStart(of noun: Int) -> Int {
        var first = noun
        while first > 0, words[first - 1].sentence == words[noun].sentence {
            let word = words[first - 1].text
            let joins =
                (word == "or" || word == "and") && first >= 2 && isChangeNoun(words[first - 2].text)
                || isChangeNoun(word) && Lexicon.conjunctions.contains(words[first].text)
            guard joins || Lexicon.adjectives.contains(word) || Lexicon.determiners.contains(word)
            else { break }
            first -= 1
            if Lexicon.determiners.contains(word) { break }
        }
        return first
    }

    private func isChangeNoun(_ word: String) -> Bool {
        Lexicon.changeNouns.contains(word) || Lexicon.critiqueNouns.contains(word)
            || Lexicon.revisionNouns.contains(word)
    }

    private func determiner(before noun: Int) -> Int? {
        let first = phraseStart(of: noun)
        return Lexicon.determiners.contains(words[first].text) ? first : nil
    }

    private func endsPhrase(at index: Int) -> Bool {
        guard index + 1 < words.count else { return true }
        let next = words[index + 1]
        return next.sentence != words[index].sentence || next.followsBreak
            || Lexicon.conjunctions.contains(next.text)
    }

    /// "I do not think any revisions …", "I cannot find any revision …": where that clause begins.
    private func negatedClause(before first: Int, noun: Int) -> Int? {
        var start = clauseStart(of: first)
        // "I do not believe that …" goes on over its "that".
        if start > 0, words[start - 1].text == "that" { start = clauseStart(of: start - 1) }
        guard start < first else { return nil }
        let before = words[start..<first]
        guard before.contains(where: { Lexicon.negations.contains($0.text) }),
            words[first].text == "any"
                || before.contains(where: { Lexicon.opinions.contains($0.text) })
        else { return nil }
        return start
    }

    /// The first word of the clause: after a comma, "but", "and", "therefore" or the sentence's end.
    private func clauseStart(of index: Int) -> Int {
        var start = index
        while start > 0, words[start - 1].sentence == words[index].sentence,
            !words[start].followsBreak, !Lexicon.clauseOpeners.contains(words[start - 1].text)
        {
            start -= 1
        }
        return start
    }
}
