import CCurl
import Glibc
import Synchronization

/// Performs HTTP exchanges with libcurl's multi interface on a thread of its own.
///
/// Callers hand over requests and wait without holding a thread; the curl thread alone touches
/// libcurl's handles. Connections are kept and used again. The thread ends when the owner goes.
final class CurlThread: Sendable {
    private let core: CurlCore

    /// - Parameter connections: idle connections kept open at most.
    init(connections: Int) throws(ChatError) {
        guard Self.isInitialized, let core = CurlCore(connections: connections), core.start() else {
            throw ChatError(.connection, "libcurl or its thread could not be started")
        }
        self.core = core
    }

    deinit {
        core.stop()
    }

    /// Sends a request and waits for the whole reply; cancelling the task ends the exchange.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let identifier = core.nextIdentifier()
        defer { if Task.isCancelled { core.forget(identifier) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                core.submit(Transfer(identifier, request, .whole(continuation)))
            }
        } onCancel: {
            core.cancel(identifier)
        }
    }

    /// Sends a request whose reply is read piece by piece from the returned body.
    func open(_ request: HTTPRequest) -> HTTPBody {
        let identifier = core.nextIdentifier()
        let body = HTTPBody(owner: self, core: core, identifier: identifier)
        core.submit(Transfer(identifier, request, .stream(body.mailbox)))
        return body
    }

    private static let isInitialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}

/// What the curl thread and its callers share.
///
/// `@unchecked Sendable`: `multi`, `active` and `idle` belong to the curl thread alone; callers use
/// `shared`, behind its lock, and `curl_multi_wakeup`, which libcurl allows from any thread and
/// which is called under that lock, so never after the handle is freed.
@safe final class CurlCore: @unchecked Sendable {
    private struct Shared {
        var identifiers: UInt64 = 0
        var submitted: [Transfer] = []
        var cancelled: Set<UInt64> = []
        var resumed: [UInt64] = []
        var isStopping = false
        var isOver = false
    }

    private let shared = Mutex(Shared())
    private let multi: UnsafeMutableRawPointer
    private var active: [UInt64: Transfer] = [:]
    /// Handles to use again: they keep their buffers.
    private var idle: [UnsafeMutableRawPointer] = unsafe []

    init?(connections: Int) {
        guard let handle = unsafe curl_multi_init() else { return nil }
        guard unsafe hone_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK
        else {
            unsafe curl_multi_cleanup(handle)
            return nil
        }
        unsafe multi = unsafe handle
    }

    /// Starts the thread, which keeps the core alive until it is stopped.
    func start() -> Bool {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                // Balances passRetained in start().
                let core = unsafe Unmanaged<CurlCore>.fromOpaque(context).takeRetainedValue()
                core.run()
                return nil
            }, context)
        guard result == 0 else {
            unsafe Unmanaged<CurlCore>.fromOpaque(context).release()
            return false
        }
        return pthread_detach(thread) == 0
    }

    // MARK: from any thread

    func nextIdentifier() -> UInt64 {
        shared.withLock {
            $0.identifiers += 1
            return $0.identifiers
        }
    }

    func submit(_ transfer: Transfer) {
        let refused: Transfer? = shared.withLock { shared in
            if shared.isStopping || shared.cancelled.remove(transfer.identifier) != nil {
                return transfer
            }
            shared.submitted.append(transfer)
            if shared.submitted.count == 1 { wake() }
            return nil
        }
        refused?.finish(.failure(.cancelled))
    }

    func cancel(_ identifier: UInt64) {
        shared.withLock { shared in
            guard !shared.isOver else { return }
            shared.cancelled.insert(identifier)
            wake()
        }
    }

    /// Drops a cancellation that came after the end.
    func forget(_ identifier: UInt64) {
        shared.withLock { _ = $0.cancelled.remove(identifier) }
    }

    /// Lets a paused reply flow again.
    func resume(_ identifier: UInt64) {
        shared.withLock { shared in
            guard !shared.isOver else { return }
            shared.resumed.append(identifier)
            wake()
        }
    }

    func stop() {
        shared.withLock { shared in
            shared.isStopping = true
            if !shared.isOver { wake() }
        }
    }

    private func wake() {
        // Failing to wake only delays the thread to its next turn, a second at most.
        _ = unsafe curl_multi_wakeup(multi)
    }

    // MARK: on the curl thread

    private func run() {
        while takeCommands() {
            var running: Int32 = 0
            if unsafe curl_multi_perform(multi, &running) != CURLM_OK {
                for transfer in active.values {
                    end(transfer, .failure(.connection("libcurl's multi handle failed")))
                }
            }
            takeMessages()
            _ = unsafe curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        for transfer in active.values { end(transfer, .failure(.cancelled)) }
        while let handle = unsafe idle.popLast() { unsafe curl_easy_cleanup(handle) }
        shared.withLock { $0.isOver = true }
        _ = unsafe curl_multi_cleanup(multi)
    }

    /// Whether to go on.
    private func takeCommands() -> Bool {
        let (submitted, cancelled, resumed, isStopping) = shared.withLock { shared in
            let taken = (shared.submitted, shared.cancelled, shared.resumed, shared.isStopping)
            shared.submitted = []
            shared.resumed = []
            // A cancellation that overtook its submission waits for it.
            let known = Set(taken.0.map(\.identifier)).union(active.keys)
            shared.cancelled.subtract(known)
            return (taken.0, taken.1.intersection(known), taken.2, taken.3)
        }
        for transfer in submitted {
            if cancelled.contains(transfer.identifier) || isStopping {
                transfer.finish(.failure(.cancelled))
            } else {
                begin(transfer)
            }
        }
        for identifier in cancelled {
            if let transfer = active[identifier] { end(transfer, .failure(.cancelled)) }
        }
        for identifier in resumed {
            guard let handle = unsafe active[identifier]?.handle else { continue }
            // A handle that cannot go on is reported by takeMessages.
            _ = unsafe curl_easy_pause(handle, CURLPAUSE_CONT)
        }
        return !isStopping
    }

    private func begin(_ transfer: Transfer) {
        guard let handle = unsafe idle.popLast() ?? curl_easy_init() else {
            transfer.finish(.failure(.connection("libcurl gave no handle")))
            return
        }
        guard unsafe transfer.configure(handle),
            unsafe curl_multi_add_handle(multi, handle) == CURLM_OK
        else {
            transfer.release()
            unsafe curl_easy_cleanup(handle)
            transfer.finish(.failure(.connection("libcurl refused the request's settings")))
            return
        }
        active[transfer.identifier] = transfer
    }

    private func takeMessages() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let result = unsafe message.pointee.data.result
            var pointer: UnsafeMutableRawPointer?
            // The private pointer is the transfer that configure() set; `active` keeps it alive.
            guard
                unsafe hone_curl_get_pointer(
                    message.pointee.easy_handle, CURLINFO_PRIVATE, &pointer)
                    == CURLE_OK, let context = unsafe pointer
            else { continue }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            end(transfer, transfer.outcome(of: result))
        }
    }

    private func end(_ transfer: Transfer, _ outcome: Result<Void, TransferError>) {
        active[transfer.identifier] = nil
        if let handle = unsafe transfer.handle {
            _ = unsafe curl_multi_remove_handle(multi, handle)
            transfer.release()
            unsafe curl_easy_reset(handle)
            if unsafe idle.count < 256 {
                unsafe idle.append(handle)
            } else {
                unsafe curl_easy_cleanup(handle)
            }
        }
        transfer.finish(outcome)
    }
}
