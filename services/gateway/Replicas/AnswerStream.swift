import RPC
package import Schema

/// The events of one answer, made by a task of the replicas' own and read by its caller.
///
/// So the caller can wait for the first event, say how the request fared, and read on elsewhere.
package final class AnswerStream: Sendable {
    private let events: AsyncThrowingStream<GenerateEvent, any Error>
    private let source: AsyncThrowingStream<GenerateEvent, any Error>.Continuation

    init() {
        // The queue needs no bound of its own: an answer has an end.
        (events, source) = AsyncThrowingStream.makeStream()
    }

    /// The next event, or nil after the last; throws the status of an answer that failed.
    package func next() async throws -> GenerateEvent? {
        var iterator = events.makeAsyncIterator()
        let event = try await iterator.next()
        try Task.checkCancellation()
        return event
    }

    /// Ends the work for it.
    package func stop() {
        source.finish(throwing: CancellationError())
    }

    deinit { stop() }

    /// What makes the events; it does not keep the stream alive.
    func maker(
        _ produce:
            @escaping @Sendable (@escaping @Sendable (GenerateEvent) -> Void) async throws -> Void
    ) -> @Sendable () async -> Void {
        let source = source
        let (stopped, tellStopped) = AsyncStream.makeStream(of: Void.self)
        source.onTermination = { _ in tellStopped.finish() }
        return {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await produce { source.yield($0) }
                        source.finish()
                    } catch {
                        source.finish(throwing: error)
                    }
                }
                group.addTask { for await _ in stopped {} }
                await group.next()
                group.cancelAll()
            }
            source.finish(throwing: Status(.unavailable, "the gateway is about to end"))
        }
    }
}
