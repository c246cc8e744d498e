/// Finds the route of a path's bytes; the one asked for last without hashing or making a string.
struct RouteCache {
    private let router: Router
    private var lastPath: [UInt8] = []
    private var last: Route?

    init(_ router: Router) {
        self.router = router
    }

    mutating func route(of path: ArraySlice<UInt8>) -> Route? {
        if let last, path.elementsEqual(lastPath) { return last }
        guard let route = router.routes[String(decoding: path, as: UTF8.self)] else { return nil }
        lastPath = Array(path)
        last = route
        return route
    }
}
