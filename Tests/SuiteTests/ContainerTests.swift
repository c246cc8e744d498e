import Foundation
import TestKit
import Testing

/// The suite as it is deployed: one image, a container for each service, three inference replicas.
@Suite(.serialized, .tags(.containers)) struct ContainerTests {
    /// Asks the API for answers, six at once.
    private struct Asking {
        private let running: Containers.Running

        init(_ address: String, times: Int) throws {
            let body = """
                {"model": "hone", "messages": [{"role": "user", "content": "Sort: d a c b e"}],
                 "revision": {"mode": "enforced", "minimum": 2, "maximum": 2}, "max_tokens": 200}
                """
            let script = """
                seq \(times) | xargs -P 6 -I{} curl --silent --max-time 60 --output /dev/null \\
                    --write-out '%{http_code}\\n' --header 'content-type: application/json' \\
                    --data "$1" "http://$0/v1/chat/completions" || true
                """
            running = try Containers.Running("bash", ["-c", script, address, body])
        }

        /// How often each status came; 0 stands for no reply.
        func statuses() throws -> [Int: Int] {
            try running.end().text.split(separator: "\n")
                .reduce(into: [:]) { $0[Int($1) ?? 0, default: 0] += 1 }
        }
    }

    @Test(
        .enabled(if: Programs.hasHone, "the executables are not built"),
        .enabled(if: Containers.canRun, Comment(rawValue: Containers.reason)),
        .timeLimit(.minutes(15)))
    func `replicas share the work, one that is added joins in, and one that dies is not missed`()
        async throws
    {
        let containers = Containers()
        try containers.build()
        do {
            try containers.compose(
                ["up", "--detach", "--no-build", "--wait", "--scale", "inference=3"])
            try await Self.check(containers)
        } catch {
            let logs = (try? containers.compose(["logs", "--tail", "20"])) ?? ""
            Issue.record(error, Comment(rawValue: logs))
        }
        try containers.end()
    }

    private static func check(_ containers: Containers) async throws {
        // The whole loop, small: all services work for it.
        try containers.compose([
            "exec", "-T", "gateway", "hone", "workflow", "run",
            "/usr/share/hone/workflows/drills.yaml", "--set", "tutor=http://tutor:7410/v1", "--set",
            "chains=40", "--set", "questions=6", "--set", "steps=8", "--json",
        ])
        let address = try containers.compose(["port", "gateway", "7400"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let replicas = try containers.replicas()
        try #require(replicas.count == 3)

        let before = try replicas.map(containers.ticks)
        #expect(try Asking(address, times: 36).statuses() == [200: 36])
        let after = try replicas.map(containers.ticks)
        for (before, after) in zip(before, after) {
            #expect(after > before, "every replica has worked")
        }

        // One more is added while answers are asked for, and takes its share.
        let meanwhile = try Asking(address, times: 240)
        try containers.compose(["up", "--detach", "--no-build", "--wait", "--scale", "inference=4"])
        let added = ContinuousClock.now
        while try working(containers) < 4 {
            try #require(ContinuousClock.now - added < .seconds(5), "the new one gets no question")
        }
        #expect(try meanwhile.statuses() == [200: 240])

        // One dies while answers are asked for; the engine starts it again.
        let asking = try Asking(address, times: 90)
        try await Task.sleep(for: .milliseconds(500))
        try containers.kill(replicas[1])
        #expect(try asking.statuses() == [200: 90])

        // It takes its share again, without anybody's help.
        try containers.compose(["up", "--detach", "--no-build", "--wait", "--scale", "inference=4"])
        let patience = ContinuousClock.now + .seconds(90)
        let idle = try containers.ticks(replicas[1])
        while try containers.ticks(replicas[1]) < idle + 20 {
            #expect(try Asking(address, times: 12).statuses() == [200: 12])
            try #require(ContinuousClock.now < patience, "the replica does not work again")
        }
    }

    /// How many replicas have begun to answer since they were started.
    private static func working(_ containers: Containers) throws -> Int {
        try containers.compose([
            "exec", "-T", "gateway", "hone", "metrics", "inference", "--inference-service",
            "dns:///inference:7404",
        ]).split(separator: "\n").count { line in
            line.hasPrefix("grpc_server_started_total{") && line.contains("\"Generate\"")
                && !line.hasSuffix(" 0")
        }
    }
}
