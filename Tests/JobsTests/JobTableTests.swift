import Jobs
import Synchronization
import Testing

@Suite struct `A job table` {
    private let folder: Folder
    private let path: String

    init() throws {
        folder = try Folder()
        path = folder.path("jobs.sqlite")
    }

    /// Runs a table beside the body, and stops it when the body ends.
    private func running<Value: Sendable>(
        _ table: JobTable, _ runners: [String: any JobRunner],
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await table.run(runners) }
            let value = try await body()
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    @Test func `one key and kind start one job`() async throws {
        let table = try JobTable(path: path)
        let first = try await table.start(kind: "count", key: "a", input: [1])
        let second = try await table.start(kind: "count", key: "a", input: [1])
        let other = try await table.start(kind: "sort", key: "a", input: [1])
        #expect(first.id == second.id)
        #expect(first.id != other.id)
        #expect(try await table.job(kind: "count", key: "a")?.id == first.id)
        let unnamed = try await table.start(kind: "count", input: [])
        let again = try await table.start(kind: "count", input: [])
        #expect(unnamed.id != again.id)
        #expect(try await table.jobs(kind: "count").count == 3)
        #expect(try await table.jobs(status: .queued, limit: 2).count == 2)
    }

    @Test func `a runner's result and events reach those who watch`() async throws {
        let table = try JobTable(path: path)
        let runner = JobFunction { context in
            context.log("began")
            context.metrics(["loss": 0.5, "rate": .infinity])
            context.progress(3, of: 3, "all of it")
            return "{\"sum\":\(context.job.input.reduce(0) { $0 + Int($1) })}"
        }
        try await running(table, ["sum": runner]) {
            let job = try await table.start(kind: "sum", input: [1, 2, 3])
            var events: [JobEvent] = []
            for try await event in table.events(of: job.id) { events.append(event) }
            #expect(events.map(\.sequence) == Array(1...events.count))
            #expect(events.map(\.kind) == [.state, .state, .log, .metrics, .progress, .result])
            #expect(events.map(\.status).last == .succeeded)
            #expect(events[3].metrics == ["loss": 0.5, "rate": .infinity])
            #expect(events.last?.result == "{\"sum\":6}")
            var later: [JobEvent] = []
            for try await event in table.events(of: job.id, after: 4) { later.append(event) }
            #expect(later == Array(events[4...]))
            let ended = try await table.job(job.id)
            #expect(ended.progress == 3 && ended.total == 3 && ended.message == "all of it")
        }
    }

    @Test func `a failing runner fails its job with the reason`() async throws {
        let table = try JobTable(path: path)
        let runner = JobFunction { _ in throw JobError.notFound(id: "the thing") }
        try await running(table, ["break": runner]) {
            let job = try await table.start(kind: "break", input: [])
            let ended = try await table.finish(of: job.id)
            #expect(ended.status == .failed)
            #expect(ended.error.contains("the thing"))
            let unknown = try await table.start(kind: "dance", input: [])
            #expect(try await table.finish(of: unknown.id).error.contains("break"))
        }
    }

    @Test func `cancel ends a queued and a running job, and retry begins it again`() async throws {
        let table = try JobTable(path: path)
        let queued = try await table.start(kind: "wait", key: "q", input: [])
        #expect(try await table.cancel(queued.id).status == .cancelled)
        let attempts = Mutex(0)
        let runner = JobFunction { context in
            let attempt = attempts.withLock { count in
                count += 1
                return count
            }
            context.progress(0, of: 1)
            if attempt == 1 { try await Task.sleep(for: .seconds(600)) }
            return "{}"
        }
        try await running(table, ["wait": runner]) {
            let job = try await table.start(kind: "wait", key: "r", input: [])
            for try await event in table.events(of: job.id) where event.kind == .progress {
                try await table.cancel(job.id)
            }
            #expect(try await table.job(job.id).status == .cancelled)
            try await table.retry(job.id)
            #expect(try await table.finish(of: job.id).status == .succeeded)
            await #expect(throws: JobError.finished(id: job.id, status: .succeeded)) {
                try await table.retry(job.id)
            }
        }
    }

    @Test func `a start that goes on queues what failed or was cancelled, with its new input`()
        async throws
    {
        let table = try JobTable(path: path)
        let first = try await table.start(kind: "sum", key: "k", input: [1], goesOn: true)
        let same = try await table.start(kind: "sum", key: "k", input: [2], goesOn: true)
        #expect(same.id == first.id && same.input == [1])
        try await table.cancel(first.id)
        #expect(try await table.start(kind: "sum", key: "k", input: [2]).status == .cancelled)
        let again = try await table.start(kind: "sum", key: "k", input: [0], goesOn: true)
        #expect(again.id == first.id && again.status == .queued && again.input == [0])
        let runner = JobFunction { context in
            if context.job.input == [0] { throw JobError.notFound(id: "a key") }
            return "\(context.job.input)"
        }
        try await running(table, ["sum": runner]) {
            #expect(try await table.finish(of: first.id).status == .failed)
            _ = try await table.start(kind: "sum", key: "k", input: [7], goesOn: true)
            #expect(try await table.finish(of: first.id).result == "[7]")
            let ended = try await table.start(kind: "sum", key: "k", input: [8], goesOn: true)
            #expect(ended.status == .succeeded && ended.result == "[7]")
        }
    }

    @Test func `a job goes on from its saved state after the process died`() async throws {
        let id: String
        do {
            let table = try JobTable(path: path)
            let runner = JobFunction { context in
                for step in 1...3 { try await context.save([UInt8(step)], as: "step \(step)") }
                context.progress(3, of: 5)
                try await Task.sleep(for: .seconds(600))
                return ""
            }
            id = try await table.start(kind: "walk", key: "w", input: [9]).id
            try await running(table, ["walk": runner]) {
                for try await event in table.events(of: id) where event.kind == .progress { break }
            }
            try table.close()
        }
        let table = try JobTable(path: path)
        let job = try await table.start(kind: "walk", key: "w", input: [9])
        #expect(job.id == id && job.status == .queued && job.input == [9])
        let runner = JobFunction { context in
            let names = try await context.stateNames(beginning: "step ")
            let last = try await context.state(names.last ?? "")
            try await context.removeStates(beginning: "step ")
            return "\(names.count) \(last ?? []) attempt \(context.job.attempts)"
        }
        try await running(table, ["walk": runner]) {
            let ended = try await table.finish(of: id)
            #expect(ended.result == "3 [3] attempt 2")
        }
        #expect(try await table.stateNames(of: id, beginning: "").isEmpty)
    }

    @Test func `a table in use by one process is refused to another`() async throws {
        let table = try JobTable(path: path)
        _ = try await table.start(kind: "a", input: [])
        #expect(throws: JobError.inUse(path: path)) {
            try JobTable(path: path, busyMilliseconds: 1)
        }
    }

    @Test func `limits are kept and say what they are`() async throws {
        var limits = JobLimits()
        limits.openJobs = 2
        limits.inputBytes = 4
        let table = try JobTable(path: path, limits: limits)
        await #expect(throws: JobError.tooLarge(what: "the job's input", bytes: 5, limit: 4)) {
            try await table.start(kind: "a", input: [1, 2, 3, 4, 5])
        }
        _ = try await table.start(kind: "a", input: [])
        _ = try await table.start(kind: "a", input: [])
        await #expect(throws: JobError.tooManyOpen(limit: 2)) {
            try await table.start(kind: "a", input: [])
        }
        await #expect(throws: JobError.notFound(id: "none")) { try await table.job("none") }
    }

    @Test func `no more jobs run at once than the limit says`() async throws {
        var limits = JobLimits()
        limits.concurrentJobs = 2
        let table = try JobTable(path: path, limits: limits)
        let running = Mutex((now: 0, most: 0))
        let runner = JobFunction { _ in
            running.withLock { count in
                count.now += 1
                count.most = max(count.most, count.now)
            }
            for _ in 0..<20 { await Task.yield() }
            running.withLock { $0.now -= 1 }
            return ""
        }
        try await self.running(table, ["a": runner]) {
            var ids: [String] = []
            for _ in 0..<12 { ids.append(try await table.start(kind: "a", input: []).id) }
            for id in ids { #expect(try await table.finish(of: id).status == .succeeded) }
        }
        #expect(running.withLock { $0.most } <= 2)
    }

    @Test func `many savers at once share their writes and lose none`() async throws {
        let table = try JobTable(path: path)
        let runner = JobFunction { context in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<500 {
                    group.addTask { try await context.save([1], as: "answer \(index)") }
                }
                try await group.waitForAll()
            }
            return "\(try await context.stateNames(beginning: "answer ").count)"
        }
        try await running(table, ["save": runner]) {
            let job = try await table.start(kind: "save", input: [])
            #expect(try await table.finish(of: job.id).result == "500")
        }
    }

    @Test func `old events are forgotten and the newest kept`() async throws {
        var limits = JobLimits()
        limits.eventsPerJob = 300
        let table = try JobTable(path: path, limits: limits)
        let runner = JobFunction { context in
            for index in 0..<2_000 { context.log("line \(index)") }
            return "done"
        }
        try await running(table, ["talk": runner]) {
            let job = try await table.start(kind: "talk", input: [])
            let ended = try await table.finish(of: job.id)
            var events: [JobEvent] = []
            for try await event in table.events(of: job.id) { events.append(event) }
            #expect(events.count <= 300 + 256)
            #expect(events.last?.sequence == ended.sequence)
            #expect(events.last?.result == "done")
        }
    }
}
