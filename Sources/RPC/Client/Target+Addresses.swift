extension Target {
    /// One of the addresses a host of the target has.
    package struct Address: Sendable, Equatable {
        package let endpoint: Endpoint
        /// The host as the target names it, which its certificate must bear.
        package let name: String

        package init(endpoint: Endpoint, name: String) {
            self.endpoint = endpoint
            self.name = name
        }
    }

    /// The addresses the target's names have now.
    ///
    /// For calls that go to every server, instead of to the one that is least busy. A name that
    /// cannot be resolved is passed over, as long as another can.
    package func addresses() async throws -> [Address] {
        var resolution = TargetResolution()
        let (found, failure) = await resolution.update(self)
        if found.isEmpty, let failure { throw failure }
        return found
    }
}
