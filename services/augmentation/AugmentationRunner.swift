package import Chat
import Corpus
import FoundationEssentials
package import Jobs
import Revising
package import Schema
import Wire

/// Carries out augmentation jobs: examples from the data service, chains back to it.
///
/// ```
/// runs/<hash of the key>/tasks.jsonl            the dataset, fetched once
///                        chains.jsonl           and failed.jsonl, as the offline run writes them
///                        chains.jsonl.journal   every reply
/// ```
package struct AugmentationRunner: JobRunner {
    package static let kind = "augmentation"
    /// Between a key and the number of the retry.
    static let retryMark = "#retry-"

    private let folder: String
    private let link: any DatasetLink
    private let keys: [String]
    private let makeTeacher: @Sendable (ChatConfiguration) throws -> any Teacher

    /// - Parameter keys: for requests that bring none.
    package init(
        folder: String, link: any DatasetLink, keys: [String],
        makeTeacher: @escaping @Sendable (ChatConfiguration) throws -> any Teacher = {
            try ChatTeacher($0)
        }
    ) {
        self.folder = folder
        self.link = link
        self.keys = keys
        self.makeTeacher = makeTeacher
    }

    package func run(_ context: JobContext) async throws -> String {
        let request = try AugmentationRequest(decoding: context.job.input)
        var plan = try plan(request, key: context.job.key)
        plan.retriesFailed = context.job.key.contains(Self.retryMark)
        if plan.retriesFailed, try await context.state("forgotten") != nil {
            // This job's earlier attempt has begun the retry already.
            plan.retriesFailed = false
        }
        try await fetch(request.dataset, to: plan.inputPath)
        let teacher = try teacher(request, concurrency: plan.concurrency) { context.log($0) }
        let journal = try Journal(path: plan.journalPath)
        let summary: AugmentationSummary
        do {
            if plan.retriesFailed {
                _ = try journal.open(plan, model: teacher.model)
                plan.retriesFailed = false
                try await context.save([1], as: "forgotten")
            }
            summary = try await Augmenter(plan, teacher: teacher, journal: journal).run(
                progress: { summary in
                    context.progress(
                        summary.done, of: summary.total, "\(summary.cost.replies) replies")
                },
                failure: { line, reason in context.log("line \(line): \(reason)") })
        } catch {
            try journal.close()
            throw error
        }
        try journal.close()
        guard summary.made + summary.found > 0 else {
            throw summary.total == 0
                ? AugmentationError.noTasks(path: request.dataset.name)
                : AugmentationError.nothingMade(failed: summary.failed)
        }
        let version = try await link.importChains(plan.outputPath, name: request.outputName)
        return summary.json(version).text()
    }

    /// Makes chains for the first few examples, and keeps nothing.
    func preview(_ request: AugmentationRequest, count: Int) async throws -> [String] {
        let name = "preview-\(UUID().uuidString)"
        let lines: [String]
        do {
            lines = try await previewed(request, count: count, name: name)
        } catch {
            try remove(name)
            throw error
        }
        try remove(name)
        return lines
    }

    private func previewed(
        _ request: AugmentationRequest, count: Int, name: String
    ) async throws -> [String] {
        var plan = try plan(request, key: name)
        plan.limit = count
        try await fetch(request.dataset, to: plan.inputPath)
        let teacher = try teacher(request, concurrency: plan.concurrency)
        let journal = try Journal(path: plan.journalPath)
        do {
            _ = try await Augmenter(plan, teacher: teacher, journal: journal).run()
        } catch {
            try journal.close()
            throw error
        }
        try journal.close()
        let lines = try FileReader.bytes(of: plan.outputPath).split(separator: 0x0A)
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }

    private func remove(_ name: String) throws {
        let made = folder(forKey: name)
        guard FileManager.default.fileExists(atPath: made) else { return }
        try FileManager.default.removeItem(atPath: made)
    }

    /// Refuses what could never run.
    package func check(_ request: AugmentationRequest) throws {
        if request.dataset.name.isEmpty { throw AugmentationError.noHeader(field: "dataset") }
        if request.outputName.isEmpty { throw AugmentationError.noHeader(field: "outputName") }
        if request.endpoint.model.isEmpty {
            throw AugmentationError.noHeader(field: "endpoint.model")
        }
        try plan(request, key: "").check()
        _ = try teacher(request, concurrency: 1)
    }

    // MARK: parts

    private func plan(
        _ request: AugmentationRequest, key: String
    ) throws(AugmentationError) -> AugmentationPlan {
        guard let procedure = Revising.AugmentationProcedure.Kind(request.procedure) else {
            throw .badSetting(
                name: "procedure", value: "\(request.procedure)",
                expected: "alpaca, sharegpt or flan")
        }
        guard let mode = Revising.ChainMode(request.mode) else {
            throw .badSetting(
                name: "mode", value: "\(request.mode)", expected: "strict or selfee")
        }
        let folder = folder(forKey: key)
        return AugmentationPlan(
            inputPath: folder + "/tasks.jsonl", outputPath: folder + "/chains.jsonl",
            failPath: folder + "/failed.jsonl", procedure: procedure, mode: mode,
            limit: request.limit == 0 ? nil : request.limit,
            concurrency: request.concurrency == 0
                ? AugmentationPlan.usualConcurrency : request.concurrency)
    }

    /// A retry works in the folder of what it retries.
    private func folder(forKey key: String) -> String {
        let mark = key.firstRange(of: Self.retryMark)?.lowerBound ?? key.endIndex
        return folder + "/" + SHA256.hexadecimal(of: String(key[..<mark])).prefix(32)
    }

    private func teacher(
        _ request: AugmentationRequest, concurrency: Int,
        onKeyRefused: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> any Teacher {
        var configuration = ChatConfiguration(
            request.endpoint, ownKeys: keys, concurrency: concurrency)
        configuration.onKeyRefused = onKeyRefused
        return try makeTeacher(configuration)
    }

    /// Writes the dataset to a file, unless an earlier attempt has: its latest version may change.
    private func fetch(_ dataset: DatasetReference, to path: String) async throws {
        let files = FileManager.default
        if files.fileExists(atPath: path) { return }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let file = try AtomicFile(temporaryPath: path + ".fetching")
        try await link.export(dataset) { try file.write($0) }
        try file.commit(to: path)
    }
}
