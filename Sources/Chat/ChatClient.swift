import FoundationEssentials
import Synchronization

/// Asks any OpenAI-compatible endpoint for chat completions.
///
/// Keeps its connections, spaces requests for each key, tries again what may succeed later, and
/// fails at once on what cannot. Safe to share; ends its thread when the last reference goes.
public final class ChatClient: Sendable {
    public let configuration: ChatConfiguration
    private let url: String
    private let thread: CurlThread
    private let limiter: RequestLimiter
    private let keyRing: Mutex<KeyRing>

    /// - Throws: `configuration` for an endpoint that is no address.
    public init(_ configuration: ChatConfiguration) throws(ChatError) {
        url = try configuration.completionsURL()
        // A line break would smuggle in further headers.
        guard configuration.keys.allSatisfy({ $0.utf8.allSatisfy { $0 > 32 && $0 < 127 } }) else {
            throw ChatError(.configuration, "a key holds a space or a character outside ASCII")
        }
        self.configuration = configuration
        thread = try CurlThread(connections: configuration.connections)
        limiter = RequestLimiter(
            RequestTurns(
                keys: configuration.keys.count, requestsPerMinute: configuration.requestsPerMinute,
                requestsPerMinuteInAll: configuration.requestsPerMinuteInAll))
        keyRing = Mutex(KeyRing(count: configuration.keys.count))
    }

    /// Asks and waits for the whole reply.
    ///
    /// - Parameter item: chooses the key.
    /// - Throws: `ChatError`, or `CancellationError`.
    public func complete(_ request: ChatRequest, item: Int = 0) async throws -> ChatReply {
        let body = request.body(model: configuration.model)
        return try await retrying(item: item) { key, attempts in
            let response = try await thread.send(httpRequest(body, key: key, isStream: false))
            guard response.head.status == 200 else {
                throw Refusal(
                    error: ChatError(status: response.head.status, body: response.body),
                    headers: response.head.headers)
            }
            return try ChatReply(body: response.body, attempts: attempts)
        }
    }

    /// Asks for a reply as it is written; only what fails before its beginning is tried again.
    ///
    /// - Parameter item: chooses the key.
    public func stream(_ request: ChatRequest, item: Int = 0) async throws -> ChatStream {
        let bytes = request.body(model: configuration.model, isStream: true)
        return try await retrying(item: item) { key, _ in
            let body = thread.open(httpRequest(bytes, key: key, isStream: true))
            let head = try await body.head()
            guard head.status == 200 else {
                var text: [UInt8] = []
                while text.count < 1 << 16, let more = try await body.next() { text += more }
                throw Refusal(
                    error: ChatError(status: head.status, body: text), headers: head.headers)
            }
            return ChatStream(body: body, keys: configuration.keys)
        }
    }

    /// An error status with the headers that say when to come back.
    private struct Refusal: Error {
        var error: ChatError
        var headers: [String: String]
    }

    private func retrying<Value: Sendable>(
        item: Int, _ attempt: (_ key: Int, _ attempts: Int) async throws -> Value
    ) async throws -> Value {
        var attempts = 0
        var refusedKeys = 0
        while true {
            let key = keyRing.withLock { $0.key(for: item) }
            try await limiter.acquire(key: key)
            attempts += 1
            var failure: ChatError
            var headers: [String: String] = [:]
            do {
                return try await attempt(key, attempts)
            } catch let refusal as Refusal {
                failure = refusal.error
                headers = refusal.headers
            } catch let error as TransferError {
                try Task.checkCancellation()
                failure = ChatError(error)
            } catch let error as ChatError {
                failure = error
            }
            failure.attempts = attempts
            failure = failure.redacted(keys: configuration.keys)
            if failure.isOfKey, configuration.keys.count > 1 {
                failure.message =
                    "key \(key + 1) of \(configuration.keys.count): \(failure.message)"
                if leaveAside(key, failure) {
                    refusedKeys += 1
                    continue
                }
            }
            let wait = configuration.retry.delay(
                attempt: attempts - refusedKeys - 1, headers: headers,
                now: Date().timeIntervalSince1970, random: Double.random(in: 0..<1))
            // What the server says of the key holds for everyone who uses it.
            if failure.kind == .rateLimited { limiter.hold(key: key, for: wait) }
            guard failure.isRetryable(headers),
                attempts - refusedKeys <= configuration.retry.retries
            else { throw failure }
            try await Task.sleep(for: wait)
        }
    }

    /// Takes a refused key out of the ring; false where it is the last one.
    private func leaveAside(_ key: Int, _ failure: ChatError) -> Bool {
        switch keyRing.withLock({ $0.leaveAside(key) }) {
        case .last: return false
        case .known: return true
        case .new:
            configuration.onKeyRefused("\(failure); it is left aside, the other keys go on")
            return true
        }
    }

    private func httpRequest(_ body: [UInt8], key: Int, isStream: Bool) -> HTTPRequest {
        var headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "Accept", value: isStream ? "text/event-stream" : "application/json"),
            (name: "User-Agent", value: "hone"),
        ]
        if configuration.keys.indices.contains(key) {
            headers.append(("Authorization", "Bearer \(configuration.keys[key])"))
        }
        return HTTPRequest(
            url: url, headers: headers, body: body, timeout: configuration.timeout,
            connectTimeout: configuration.connectTimeout,
            maximumReplyBytes: configuration.maximumReplyBytes,
            authorityFile: configuration.authorityFile, isStream: isStream)
    }
}

extension ChatError {
    /// Whether the server refuses the key rather than the request: another key may do.
    fileprivate var isOfKey: Bool {
        kind == .authentication || kind == .permission || kind == .quota
    }

    /// Whether the same request may succeed later, by the server's own word if it gives one.
    fileprivate func isRetryable(_ headers: [String: String]) -> Bool {
        switch headers["x-should-retry"] {
        case "true": true
        case "false": false
        default: isRetryable
        }
    }
}
