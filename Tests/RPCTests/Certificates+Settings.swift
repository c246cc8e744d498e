import TLS
import TestKit

extension Certificates {
    /// What a side takes from the files: its own certificate, and the authority it trusts.
    func settings(_ name: String?, authority: String?) throws -> TLSSettings {
        try TLSSettings(
            certificate: name.map { path("\($0).pem") }, key: name.map { path("\($0).key") },
            authority: authority.map { path("\($0).pem") })
    }
}
