import CCurl

/// One exchange in progress.
///
/// `@unchecked Sendable`: its maker hands it over and keeps nothing; from then on the curl thread
/// alone uses it.
@safe final class Transfer: @unchecked Sendable {
    /// Where the reply goes.
    enum Sink {
        case whole(CheckedContinuation<HTTPResponse, any Error>)
        case stream(HTTPMailbox)
    }

    let identifier: UInt64
    private let request: HTTPRequest
    private let sink: Sink
    private var head = HTTPHead()
    private var body: [UInt8] = []
    private var received = 0
    private var isTooLarge = false
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// libcurl's handle while the exchange runs.
    private(set) var handle: UnsafeMutableRawPointer?

    init(_ identifier: UInt64, _ request: HTTPRequest, _ sink: Sink) {
        self.identifier = identifier
        self.request = request
        self.sink = sink
    }

    /// Tells the caller; called once.
    func finish(_ outcome: Result<Void, TransferError>) {
        switch sink {
        case .whole(let continuation):
            continuation.resume(
                with: outcome.map { HTTPResponse(head: head, body: body) }.mapError { $0 })
        case .stream(let mailbox):
            mailbox.finish(head: head, outcome)
        }
    }

    /// Takes the exchange's memory back from libcurl, after the handle left the multi handle.
    func release() {
        unsafe curl_slist_free_all(headerList)
        unsafe headerList = nil
        unsafe handle = nil
    }

    /// What libcurl's result means.
    func outcome(of result: CURLcode) -> Result<Void, TransferError> {
        switch result {
        case CURLE_OK: return .success(())
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timeout)
        case CURLE_WRITE_ERROR where isTooLarge:
            return .failure(.tooLarge(limit: request.maximumReplyBytes))
        default:
            // libcurl's texts are static and name no addresses or keys.
            let text = unsafe curl_easy_strerror(result).map { unsafe String(cString: $0) }
            return .failure(.connection(text ?? "libcurl code \(result.rawValue)"))
        }
    }

    // MARK: settings

    /// Whether libcurl took every setting.
    func configure(_ handle: UnsafeMutableRawPointer) -> Bool {
        unsafe self.handle = unsafe handle
        for (name, value) in request.headers {
            // A header libcurl cannot store would be lost in silence: give up instead.
            guard let list = unsafe curl_slist_append(headerList, "\(name): \(value)") else {
                return false
            }
            unsafe headerList = unsafe list
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let options: [CURLcode] = unsafe [
            hone_curl_set_text(handle, CURLOPT_URL, request.url),
            hone_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList),
            hone_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            hone_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
            hone_curl_set_text(handle, CURLOPT_ACCEPT_ENCODING, ""),
            hone_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1),
            hone_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2),
            hone_curl_set_long(
                handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeout)),
            hone_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1),
            hone_curl_set_pointer(handle, CURLOPT_PRIVATE, context),
            hone_curl_set_pointer(handle, CURLOPT_WRITEDATA, context),
            hone_curl_set_callback(handle, CURLOPT_WRITEFUNCTION, bodyCallback),
            hone_curl_set_pointer(handle, CURLOPT_HEADERDATA, context),
            hone_curl_set_callback(handle, CURLOPT_HEADERFUNCTION, headerCallback),
        ]
        guard options.allSatisfy({ $0 == CURLE_OK }) else { return false }
        return unsafe configureVariants(handle)
    }

    private func configureVariants(_ handle: UnsafeMutableRawPointer) -> Bool {
        var options: [CURLcode] = []
        if request.isStream {
            let seconds = max(1, Int(request.timeout.components.seconds))
            unsafe options.append(hone_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1))
            unsafe options.append(hone_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, seconds))
        } else {
            let limit = milliseconds(request.timeout)
            unsafe options.append(hone_curl_set_long(handle, CURLOPT_TIMEOUT_MS, limit))
        }
        if let authorityFile = request.authorityFile {
            unsafe options.append(hone_curl_set_text(handle, CURLOPT_CAINFO, authorityFile))
        }
        if isLoopback {
            // A proxy of the environment is never meant for this machine.
            unsafe options.append(hone_curl_set_text(handle, CURLOPT_PROXY, ""))
        }
        // The size comes first, so that the copy takes exactly these bytes.
        let size = curl_off_t(request.body.count)
        unsafe options.append(hone_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, size))
        let copied = unsafe request.body.withUnsafeBytes { bytes in
            unsafe hone_curl_set_text(
                handle, CURLOPT_COPYPOSTFIELDS,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
        return copied == CURLE_OK && options.allSatisfy { $0 == CURLE_OK }
    }

    private var isLoopback: Bool {
        ["http://127.", "https://127.", "http://localhost", "https://localhost", "http://[::1]"]
            .contains { request.url.hasPrefix($0) }
    }

    private func milliseconds(_ duration: Duration) -> Int {
        max(1, Int(duration / .milliseconds(1)))
    }

    // MARK: callbacks

    /// Takes bytes of the body; another count than given makes libcurl fail or pause.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        received += bytes.count
        guard received <= request.maximumReplyBytes || request.isStream else {
            isTooLarge = true
            return 0
        }
        switch sink {
        case .whole: unsafe body.append(contentsOf: bytes)
        case .stream(let mailbox):
            guard mailbox.hasRoom else {
                received -= bytes.count
                return hone_curl_write_pause
            }
            unsafe mailbox.append(head: head, Array(bytes))
        }
        return bytes.count
    }

    /// Takes one header line; a status line begins anew (after `100 Continue`).
    fileprivate func receiveHeader(_ line: [UInt8]) {
        if line.starts(with: "HTTP/".utf8) {
            let words = line.split(separator: 32)
            head = HTTPHead()
            if words.count > 1 { head.status = Int(String(decoding: words[1], as: UTF8.self)) ?? 0 }
            return
        }
        // Bounded: a server must not fill memory with headers.
        guard head.headers.count < 100, let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            return
        }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        guard name.hasPrefix("retry-after") || name.hasPrefix("x-") || name.hasPrefix("content-")
        else { return }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 32 || first == 9 { value.removeFirst() }
        while let last = value.last, last <= 32 { value.removeLast() }
        head.headers[name] = String(decoding: value, as: UTF8.self)
    }
}

/// libcurl's body callback; the context is the transfer that `configure` set.
private let bodyCallback: hone_curl_callback = { bytes, size, count, context in
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

/// libcurl's header callback, called once a line.
private let headerCallback: hone_curl_callback = { bytes, size, count, context in
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    unsafe transfer.receiveHeader(Array(line))
    return size * count
}
