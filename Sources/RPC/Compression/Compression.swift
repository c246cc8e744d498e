import Gzip

/// How messages are made smaller on their way.
public enum Compression: String, Sendable {
    case gzip

    /// What this runtime can read, as `grpc-accept-encoding` has it.
    static let accepted = "identity,gzip"

    /// Whether a peer's `grpc-accept-encoding` names this one.
    func isAccepted(_ header: ArraySlice<UInt8>?) -> Bool {
        guard let header else { return false }
        return header.split(separator: UInt8(ascii: ",")).contains { part in
            part.drop { $0 == 0x20 }.prefix { $0 != 0x20 }.elementsEqual(rawValue.utf8)
        }
    }
}

/// Makes the messages of one direction of a call smaller.
struct MessageDeflater: Sendable {
    /// Below this size, compressing costs more than it saves.
    let minimumBytes: Int

    /// The message as it travels, and the flag before it: 0 where it stays as it is.
    func close(_ message: [UInt8]) throws -> (flag: UInt8, bytes: [UInt8]) {
        guard message.count >= minimumBytes else { return (0, message) }
        do {
            let smaller = try GzipPool.shared.deflate(message)
            return smaller.count < message.count ? (1, smaller) : (0, message)
        } catch {
            throw Status(.internal, "a message cannot be compressed: \(error)")
        }
    }
}

/// Expands the messages of one direction of a call: not before they are read, so that what waits
/// to be read is no larger than what the peer has sent.
struct MessageInflater: Sendable {
    let limit: MessageLimit

    /// The message whose first byte is its flag, as ``MessageAssembler`` hands it out.
    func open(_ message: [UInt8]) throws(Status) -> [UInt8] {
        guard message.first == 1 else { return Array(message.dropFirst()) }
        do {
            return try GzipPool.shared.inflate(message, from: 1, limit: limit.bytes)
        } catch {
            switch error {
            case .tooLarge:
                throw Status(
                    .resourceExhausted,
                    "a compressed message expands beyond the limit of \(limit.bytes) bytes; "
                        + "raise \(limit.name) or send less")
            case .noMemory: throw Status(.resourceExhausted, "a compressed message: \(error)")
            default: throw Status(.internal, "a compressed message is broken: \(error)")
            }
        }
    }
}
