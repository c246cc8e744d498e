import Corpus
// FileHandle is not in FoundationEssentials.
import Foundation
import Glibc

/// What a judge said, as the journal keeps it.
struct StoredReview: Sendable, Equatable {
    /// The hash of the request it answers: order, question, model, messages and parameters.
    var request: String
    var id: String
    var text: String
    /// Of all replies to the request so far.
    var promptTokens: Int
    var completionTokens: Int
    /// Whether scores could be read.
    var hasScores: Bool
    /// How often the judge has replied to this request, this reply included.
    var attempt = 1
}

/// Every reply of a judge, on the disk before it counts: one JSON object a line.
///
/// ```
/// {"request": …, "review_id": …, "text": …, "prompt_tokens": …, "completion_tokens": …, "scores": …,
///  "attempt": …}
/// ```
/// A reply without scores is a line too: who asks again counts on from there. A request's last line
/// counts.
///
/// A line without its end is what a kill leaves; it is cut off when the journal is opened, and the
/// review is asked for again. A lock keeps a second run out.
actor ReviewJournal {
    nonisolated let path: String
    private let handle: FileHandle
    private var reviews: [String: StoredReview] = [:]

    /// - Parameter forgetsUnreadable: whether reviews without scores are asked for again.
    init(path: String, forgetsUnreadable: Bool = false) throws(EvaluatorError) {
        self.path = path
        do {
            let files = FileManager.default
            if !files.fileExists(atPath: path), !files.createFile(atPath: path, contents: nil) {
                throw EvaluatorError.journal(path: path, reason: "the file cannot be made")
            }
            handle = try FileHandle(forUpdating: URL(filePath: path))
            // The system releases the lock when the process ends, however it ends.
            guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw EvaluatorError.busy(path: path)
            }
            let bytes = [UInt8](try handle.readToEnd() ?? Data())
            let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            if whole < bytes.count { try handle.truncate(atOffset: UInt64(whole)) }
            try handle.seekToEnd()
            for line in bytes[..<whole].split(separator: UInt8(ascii: "\n")) {
                let review = try StoredReview(JSON(parsing: Array(line)))
                reviews[review.request] = review
            }
            if forgetsUnreadable { reviews = reviews.filter(\.value.hasScores) }
        } catch let error as EvaluatorError {
            throw error
        } catch {
            throw .journal(path: path, reason: "\(error)")
        }
    }

    /// The last reply a request has had, in this run or an earlier one.
    func review(of request: String) -> StoredReview? { reviews[request] }

    /// Keeps a review; it is on the disk when this returns.
    func save(_ review: StoredReview) throws(EvaluatorError) {
        do {
            try handle.write(contentsOf: Data(review.json.bytes(.python) + [UInt8(ascii: "\n")]))
            try handle.synchronize()
        } catch {
            throw .journal(path: path, reason: "\(error)")
        }
        reviews[review.request] = review
    }

    func close() throws(EvaluatorError) {
        do {
            flock(handle.fileDescriptor, LOCK_UN)
            try handle.close()
        } catch {
            throw .journal(path: path, reason: "\(error)")
        }
    }
}

extension StoredReview {
    init(_ json: JSON) throws(EvaluatorError) {
        guard let request = json["request"]?.stringValue, let id = json["review_id"]?.stringValue,
            let text = json["text"]?.stringValue
        else { throw .journal(path: "", reason: "a line is no review") }
        self.init(
            request: request, id: id, text: text,
            promptTokens: json["prompt_tokens"]?.intValue ?? 0,
            completionTokens: json["completion_tokens"]?.intValue ?? 0,
            hasScores: json["scores"]?.boolValue ?? true,
            attempt: json["attempt"]?.intValue ?? Evaluation.attemptsAtScores)
    }

    var json: JSON {
        [
            "request": .string(request), "review_id": .string(id), "text": .string(text),
            "prompt_tokens": .int(promptTokens), "completion_tokens": .int(completionTokens),
            "scores": .bool(hasScores), "attempt": .int(attempt),
        ]
    }
}
