import HTTP2

/// Finds the route of a path's bytes; the one asked for last without hashing or making a string.
struct RouteCache {
    private let router: Router
    private var lastPath: [UInt8] = []
    private var last: Route?

    init(_ router: Router) {
        self.router = router
    }

    /// The route a request's headers ask for.
    mutating func route(of headers: HeaderList) -> Route? {
        if let last, headers.isFirst(.path, lastPath) { return last }
        let path = headers.firstBytes(.path) ?? []
        guard let route = router.routes[String(decoding: path, as: UTF8.self)] else { return nil }
        lastPath = Array(path)
        last = route
        return route
    }
}
