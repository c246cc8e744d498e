/// What all connections of a server share to know whether there is too much to do.
final class ServerLoad: Sendable {
    private let admission: AdmissionControl?

    init(_ admission: AdmissionControl?) {
        self.admission = admission
    }

    /// Why a call is refused before anything is done for it; nil where it is not.
    func refusal(
        of route: Route, _ memory: ConnectionMemory
    ) -> (status: Status, trailers: Metadata)? {
        if memory.isShort, route.priority != .critical {
            return (ConnectionMemory.status, .retryPushback(.seconds(1)))
        }
        return admission?.refusal(of: route)
    }
}
