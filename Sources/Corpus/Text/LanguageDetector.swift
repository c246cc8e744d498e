internal import CLD2

/// Which language a text is in, by CLD2's table of letter groups.
public enum LanguageDetector {
    public struct Detection: Sendable, Hashable {
        /// The most frequent language, "en" or "zh-Hant"; nil where none was found.
        public let language: String?
        /// How much of the text is in it.
        public let percent: Int
        /// How well it fits: bytes of score per 1,024 bytes of text.
        public let score: Double
        /// Bytes of letters that were looked at; 0 where a text has none.
        public let letterBytes: Int
    }

    /// Shortest guess that counts, and how well it must fit.
    ///
    /// A text of a few words ("important point") gets no sure answer. Of the guesses, those on single
    /// words ("continue", "hello") are as often Italian or Finnish to other detectors; from two words
    /// on a guess of fair score is right more often than not.
    private static let smallestGuessedBytes = 12
    private static let smallestGuessedScore = 400.0

    /// Detects the language.
    ///
    /// - Parameter isGuessing: answer also for texts too short to be sure of.
    public static func detect(_ text: String, isGuessing: Bool = false) -> Detection {
        let bytes = text.utf8.map { CChar(bitPattern: $0) }
        var result = hone_cld2_result()
        // A Swift string is valid UTF-8; a text cut at 2 GiB may end inside a character.
        let valid = unsafe hone_cld2_detect(
            bytes, Int32(clamping: bytes.count), isGuessing, &result)
        guard valid > 0, let code = unsafe result.codes.0 else {
            return Detection(language: nil, percent: 0, score: 0, letterBytes: 0)
        }
        let language = unsafe String(cString: code)
        return Detection(
            language: language == "un" ? nil : language, percent: Int(result.percents.0),
            score: result.scores.0, letterBytes: Int(result.text_bytes))
    }

    /// Whether the text counts as English: surely so, or by a guess that is good enough.
    public static func isEnglish(_ text: String) -> Bool {
        if let language = detect(text).language { return language == "en" }
        let guess = detect(text, isGuessing: true)
        return guess.language == "en" && guess.letterBytes >= smallestGuessedBytes
            && guess.score >= smallestGuessedScore
    }

    /// Whether there is anything to tell a language by.
    public static func hasLetters(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.isAlphabetic }
    }
}
