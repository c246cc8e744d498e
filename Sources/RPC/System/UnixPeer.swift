import Glibc
import NIOCore

/// Who is at the other end of a unix socket.
enum UnixPeer {
    /// Linux's `struct ucred`, which Glibc does not show to Swift.
    private struct Credentials: Sendable {
        let process: Int32
        let user: UInt32
        let group: UInt32
    }

    /// Asks the kernel; a text such as "unix:/run/data.sock, process 17 of user 1000".
    static func describe(_ channel: any Channel, path: String) -> EventLoopFuture<String> {
        let address = "unix:" + path
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(address)
        }
        let answer: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET),
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return answer.map { "\(address), process \($0.process) of user \($0.user)" }
            .recover { _ in address }
    }
}
