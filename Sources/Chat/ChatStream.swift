/// A reply as it is written; leaving the loop or cancelling the task ends the exchange.
public struct ChatStream: AsyncSequence, Sendable {
    let body: HTTPBody
    let keys: [String]

    public struct AsyncIterator: AsyncIteratorProtocol {
        let body: HTTPBody
        let keys: [String]
        private var parser = ServerSentEvents()
        private var events: [[UInt8]] = []
        private var hasFinishReason = false
        private var isDone = false

        init(body: HTTPBody, keys: [String]) {
            self.body = body
            self.keys = keys
        }

        public mutating func next() async throws -> ChatDelta? {
            while !isDone {
                if events.isEmpty {
                    guard let bytes = try await nextBytes() else {
                        isDone = true
                        // Some servers leave out [DONE]; without a reason the reply is cut.
                        guard hasFinishReason else {
                            throw ChatError(.connection, "the stream ended before the reply did")
                        }
                        return nil
                    }
                    // Handed out from the back.
                    events = try parser.append(bytes).reversed()
                    continue
                }
                let event = events.removeLast()
                if event.elementsEqual("[DONE]".utf8) {
                    isDone = true
                } else if let delta = try delta(event) {
                    return delta
                }
            }
            return nil
        }

        private func nextBytes() async throws -> [UInt8]? {
            do {
                return try await body.next()
            } catch let error as TransferError {
                if error == .cancelled { throw CancellationError() }
                throw ChatError(error)
            }
        }

        private mutating func delta(_ event: [UInt8]) throws -> ChatDelta? {
            let object = try CompletionObject(event)
            if let failure = object.error {
                let text = failure.message ?? "the endpoint broke the stream off"
                throw ChatError(.server, text, code: failure.code ?? failure.type)
                    .redacted(keys: keys)
            }
            let choice = object.choices?.first
            if choice?.finish_reason != nil { hasFinishReason = true }
            let delta = ChatDelta(
                text: choice?.delta?.content ?? "", finishReason: choice?.finish_reason,
                usage: object.usage?.usage)
            let isEmpty = delta.text.isEmpty && delta.finishReason == nil && delta.usage == nil
            return isEmpty ? nil : delta
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: body, keys: keys) }
}
