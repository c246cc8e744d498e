// FileHandle is not in FoundationEssentials.
import Foundation
import Glibc

/// Where everything goes that is not a result.
public enum StandardError {
    /// Whether a person looks at it.
    public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes the text in one piece. A closed standard error is nobody's fault and nobody's to tell.
    public static func write(_ text: String) {
        do {
            try FileHandle.standardError.write(contentsOf: Data(text.utf8))
        } catch {
            return
        }
    }
}
