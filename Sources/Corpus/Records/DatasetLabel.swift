/// The label a merge writes into the records of a file.
public enum DatasetLabel {
    /// The original's rule: of the file's name the last piece between underscores, up to its first
    /// dot. `feedback_gpt_3.5_turbo_dr_repair.jsonl` is `repair`.
    public static func label(ofFileNamed path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        let piece = name.split(separator: "_", omittingEmptySubsequences: false).last ?? ""
        return String(piece.prefix { $0 != "." })
    }
}
