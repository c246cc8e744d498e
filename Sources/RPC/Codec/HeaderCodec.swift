import HTTP2
import Wire

/// Calls as HTTP/2 headers and trailers, and back.
enum HeaderCodec {
    static let contentType = "application/grpc+hone"

    static let response = HeaderList([(":status", "200"), ("content-type", contentType)])
    static let successTrailers = HeaderList([("grpc-status", "0")])

    /// The headers that all requests of a method on a connection begin with.
    static func request(path: String, scheme: String, authority: String) -> HeaderList {
        HeaderList([
            (":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority),
            ("te", "trailers"), ("content-type", contentType),
        ])
    }

    /// A request's headers after those of its method.
    static func request(
        _ common: HeaderList, timeout: Duration?, metadata: Metadata, compression: Compression?,
        acceptsCompression: Bool
    ) -> HeaderList {
        if timeout == nil, metadata.isEmpty, !acceptsCompression { return common }
        var list = common
        if let timeout { list.append("grpc-timeout", TimeoutCodec.encode(timeout)) }
        if let compression { list.append("grpc-encoding", compression.rawValue) }
        if acceptsCompression { list.append("grpc-accept-encoding", Compression.accepted) }
        append(metadata, to: &list)
        return list
    }

    static func response(with metadata: Metadata?, isCompressed: Bool) -> HeaderList {
        guard metadata != nil || isCompressed else { return response }
        var list = response
        if isCompressed { list.append("grpc-encoding", Compression.gzip.rawValue) }
        if let metadata { append(metadata, to: &list) }
        return list
    }

    static func trailers(_ status: Status, _ metadata: Metadata) -> HeaderList {
        if status.code == .ok, status.message.isEmpty, metadata.isEmpty { return successTrailers }
        var list = HeaderList([("grpc-status", String(status.code.rawValue))])
        if !status.message.isEmpty {
            // A message longer than peers accept in all their headers would lose the status.
            list.append("grpc-message", PercentEncoding.encode(status.message, upTo: 2048))
        }
        if let details = status.details { append(details, of: status, to: &list) }
        append(metadata, to: &list)
        return list
    }

    private static func append(
        _ details: StatusDetails, of status: Status, to list: inout HeaderList
    ) {
        var details = details
        details.code = status.code.rawValue
        details.message = String(status.message.prefix(500))
        guard let bytes = details.bounded() else { return }
        list.append(detailsName, Base64.encode(bytes))
    }

    private static let detailsName = "grpc-status-details-bin"

    /// Whether a peer's messages may be compressed; nil where that is in a way we do not know.
    static func isCompressed(_ list: HeaderList) -> Bool? {
        guard list.firstBytes(.grpcEncoding) != nil else { return false }
        if list.isFirst(.grpcEncoding, "identity") { return false }
        return list.isFirst(.grpcEncoding, "gzip") ? true : nil
    }

    /// The answer to a request whose messages are compressed in a way we do not know.
    static func unknownEncoding(of request: HeaderList) -> HeaderList {
        let encoding = request.first(.grpcEncoding) ?? ""
        var list = trailersOnly(
            Status(
                .unimplemented,
                "grpc-encoding \(encoding) is not known; known are \(Compression.accepted)"),
            Metadata())
        list.append("grpc-accept-encoding", Compression.accepted)
        return list
    }

    /// Headers and trailers in one, for an answer without messages.
    static func trailersOnly(_ status: Status, _ metadata: Metadata) -> HeaderList {
        var list = response
        list.append(contentsOf: trailers(status, metadata))
        return list
    }

    private static func append(_ metadata: Metadata, to list: inout HeaderList) {
        for entry in metadata.entries {
            switch entry.value {
            case .ascii(let text): list.append(entry.name, text)
            case .binary(let bytes): list.append(entry.name, Base64.encode(bytes))
            }
        }
    }

    /// The metadata among header fields: those that are not the protocol's own.
    static func metadata(of list: HeaderList) -> Metadata {
        var metadata = Metadata()
        for index in 0..<list.count {
            guard list.kind(at: index) == .other else { continue }
            let name = list.nameBytes(at: index)
            guard let first = name.first, first != UInt8(ascii: ":"),
                !name.starts(with: "grpc-".utf8) || Metadata.isOfRetries(name)
            else { continue }
            let text = String(decoding: name, as: UTF8.self)
            guard !Metadata.reserved.contains(text) else { continue }
            let value = list.valueBytes(at: index)
            guard text.hasSuffix("-bin") else {
                metadata.appendReceived(text, .ascii(String(decoding: value, as: UTF8.self)))
                continue
            }
            for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            {
                let trimmed = part.drop { $0 == 0x20 }
                guard let bytes = Base64.decode(trimmed) else { continue }
                metadata.appendReceived(text, .binary(bytes))
            }
        }
        return metadata
    }

    /// The status in trailers; nil where they bear none.
    static func status(of list: HeaderList) -> Status? {
        guard let text = list.first(.grpcStatus) else { return nil }
        let message = list.firstBytes(.grpcMessage).map(PercentEncoding.decode) ?? ""
        guard let number = Int(text), let code = Status.Code(rawValue: number) else {
            return Status(.unknown, "the server sent grpc-status \(text): \(message)")
        }
        return Status(code, message, details: list.firstBytes(detailsName).flatMap(details))
    }

    /// Details of another schema, or broken ones, are left out: code and message stand without.
    private static func details(_ text: ArraySlice<UInt8>) -> StatusDetails? {
        guard let bytes = Base64.decode(text), bytes.count <= 2 * StatusDetails.travelBytes,
            var details = try? StatusDetails(decoding: bytes)
        else { return nil }
        details.code = 0
        details.message = ""
        return details
    }
}
