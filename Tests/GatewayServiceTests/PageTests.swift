import Foundation
import GatewayService
import Schema
import Synchronization
import TestKit
import Testing

@Suite struct `The page` {
    private static let chromium =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first(where: Program.exists)

    /// With `HONE_PICTURES` naming a folder, the page is also drawn into it.
    @Test(.enabled(if: chromium != nil, "no Chromium is installed"))
    func `shows answers, feedback and revisions as they come, and stops`() async throws {
        let chromium = try #require(Self.chromium)
        let script = ScriptedInference()
        try await withGatewayHTTP(script) { url in
            let driver = SharedData.repository
                .appending(path: "Tests/Scripts/page_client.py").path
            let pictures = ProcessInfo.processInfo.environment["HONE_PICTURES"]
            let ended = try await Program.run(
                "/usr/bin/env", ["python3", driver, url, chromium] + (pictures.map { [$0] } ?? []))
            #expect(ended.code == 0, "\(ended.output)\n\(ended.errors)")
            await script.cancelled.wait()
            // Its questions say that they belong together.
            let conversations = Set(script.requests.withLock { $0.map(\.conversation) })
            #expect(conversations.count >= 1 && !conversations.contains(""))
        }
    }
}
