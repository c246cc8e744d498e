import Glibc

/// Asks the system for all addresses of a name.
enum Resolver {
    struct Failure: Error {
        let host: String
        let reason: String
    }

    /// Every numeric address of `host`, each once; blocks, so it runs on a thread of its own.
    static func addresses(of host: String) throws(Failure) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, nil, &hints, &list)
        guard result == 0 else {
            throw unsafe Failure(host: host, reason: String(cString: gai_strerror(result)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = unsafe list
        // The list is the system's, ended by nil, and freed after this loop.
        while let present = unsafe entry {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let isNamed = unsafe getnameinfo(
                present.pointee.ai_addr, present.pointee.ai_addrlen, &text, socklen_t(text.count),
                nil, 0, NI_NUMERICHOST)
            if isNamed == 0 {
                let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
                let address = String(decoding: bytes, as: UTF8.self)
                if !addresses.contains(address) { addresses.append(address) }
            }
            unsafe entry = present.pointee.ai_next
        }
        return addresses
    }
}
