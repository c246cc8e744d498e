// FileHandle is not in FoundationEssentials.
import Foundation

/// Where results go.
public enum StandardOutput {
    /// Writes the text at once. Whoever closed the other end does not want it.
    public static func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            return
        }
    }
}
