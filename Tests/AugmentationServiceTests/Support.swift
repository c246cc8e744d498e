import AugmentationService
import Chat
import Corpus
import Foundation
import Revising
import Synchronization
import TestKit

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(
                path: "hone-augmentation-\(UUID().uuidString)"
            ).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("could not remove \(path): \(error)")
        }
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    func lines(_ name: String) throws -> [String] {
        try text(name).split(separator: "\n").map { String($0) }
    }

    /// Writes that many tasks with an output, and plans their augmentation.
    func plan(
        tasks: Int, _ procedure: AugmentationProcedure.Kind = .sharegpt,
        _ mode: ChainMode = .selfee, concurrency: Int = 4
    ) throws -> AugmentationPlan {
        let rows = (0..<tasks).map { number in
            "{\"instruction\": \"Task \(number).\", \"input\": \"\", \"output\": \"Gold \(number)\"}"
        }
        try write(rows.joined(separator: "\n"), to: "tasks.jsonl")
        return plan(procedure, mode, concurrency: concurrency)
    }

    func plan(
        _ procedure: AugmentationProcedure.Kind, _ mode: ChainMode, concurrency: Int = 4
    ) -> AugmentationPlan {
        AugmentationPlan(
            inputPath: path + "/tasks.jsonl", outputPath: path + "/chains.jsonl",
            failPath: path + "/failed.jsonl", procedure: procedure, mode: mode,
            concurrency: concurrency)
    }
}

/// A teacher in memory: needs one revision, fails where it is told to.
final class MemoryTeacher: Teacher {
    let model = "memory"
    let failing: Set<String>
    let calls = Mutex<[ChatCall]>([])
    /// Calls that were answered.
    let answers = Mutex(0)
    private let waitsAfter: Int
    private let isWaiting: Mutex<Bool>

    var callCount: Int { calls.withLock { $0.count } }

    /// - Parameter waitsAfter: so many answers it gives, then none until `goOn`.
    init(failing: Set<String> = [], waitsAfter: Int = .max) {
        self.failing = failing
        self.waitsAfter = waitsAfter
        isWaiting = Mutex(waitsAfter < .max)
    }

    /// Waits until a call waits in vain.
    func reached() async throws {
        while callCount <= waitsAfter { try await Task.sleep(for: .milliseconds(2)) }
    }

    func goOn() { isWaiting.withLock { $0 = false } }

    func request(for call: ChatCall) -> [UInt8] {
        call.messages.flatMap { Array($0.content.utf8) + [0] }
    }

    func answer(_ call: ChatCall, item: Int) async throws -> TeacherAnswer {
        let number = calls.withLock { calls in
            calls.append(call)
            return calls.count
        }
        while number > waitsAfter, isWaiting.withLock({ $0 }) {
            try await Task.sleep(for: .milliseconds(2))
        }
        answers.withLock { $0 += 1 }
        let first = call.messages[0].content
        if failing.contains(where: { first.contains($0) }) {
            throw ChatError(.contextLength, "too long", status: 400)
        }
        let last = call.messages[call.messages.count - 1].content
        let text =
            if last.hasSuffix("Revision:") {
                "Better"
            } else if last.contains("answer:\nBetter") {
                "Score: 10. Revision is not needed."
            } else {
                "Score: 5. Revision is needed."
            }
        return TeacherAnswer(text: text, promptTokens: 10, completionTokens: 2)
    }
}

extension Augmenter {
    /// Runs a plan with a journal of its own.
    static func run(_ plan: AugmentationPlan, _ teacher: any Teacher) async throws
        -> AugmentationSummary
    {
        let journal = try Journal(path: plan.journalPath)
        do {
            let summary = try await Augmenter(plan, teacher: teacher, journal: journal).run()
            try journal.close()
            return summary
        } catch {
            try journal.close()
            throw error
        }
    }
}
