import Foundation
import Glibc
import TestKit
import Testing

/// What becomes of services that cannot start, or die.
@Suite(.serialized) struct ServicesTests {
    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `where one service cannot start, none stays`() throws {
        let rig = try Rig()
        try rig.up(replicas: 1)
        let page = try #require(try rig.entry("gateway")["http"] as? String)
        let port = try #require(page.split(separator: ":").last.map(String.init))
        let other = rig.folder.appending(path: "other").path
        let taken = try Programs.hone([
            "up", "--replicas", "1", "--http-port", port, "--data-directory", other,
        ])
        #expect(taken.status == 1, Comment(rawValue: taken.text))
        #expect(taken.text.contains("gateway did not start"), Comment(rawValue: taken.text))
        let table = try String(contentsOfFile: other + "/run/services.json", encoding: .utf8)
        #expect(table == "{}\n")
        let status = try Programs.hone(["status"] + rig.directory)
        #expect(status.status == 0, "the first ones are as they were: \(status.text)")
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `a replica that was killed serves the model again once it is back`() throws {
        let rig = try Rig()
        try rig.up()
        try rig.makeModel("tiny")
        let empty = try Programs.hone(["chat", "--prompt", "Hi"] + rig.directory)
        #expect(empty.status == 1)
        #expect(!empty.text.contains("hone up"), Comment(rawValue: empty.text))
        try rig.shell("hone load tiny")
        let gateway = try #require(try rig.entry("gateway")["http"] as? String)
        try rig.kill("inference-1")
        try rig.up()
        let ask = """
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
              curl -sf -o /dev/null \(gateway)/v1/chat/completions -d '{"model": "hone",
                "max_tokens": 3, "messages": [{"role": "user", "content": "Hi"}]}'
              curl -sf -o /dev/null \(gateway)/readyz
            done
            """
        try rig.shell(ask)
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let metrics = try rig.shell("curl -sf \(gateway)/metrics")
            let ready = metrics.split(separator: "\n").filter {
                $0.hasPrefix("hone_inference_ready{") && $0.hasSuffix(" 1")
            }
            if ready.count == 2 { break }
            try #require(ContinuousClock.now < deadline, Comment(rawValue: metrics))
            usleep(100_000)
        }
        try rig.shell(ask)
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `a replica that is killed under load costs no caller an answer`() throws {
        let rig = try Rig()
        try rig.up()
        try rig.makeModel("tiny")
        try rig.shell("hone load tiny")
        let gateway = try #require(try rig.entry("gateway")["http"] as? String)
        let replica = try #require(try rig.entry("inference-1")["pid"] as? Int)
        // Half of the callers read streams, which are cut in the middle when the replica dies.
        let text = try rig.shell(
            """
            ask() {
              for i in $(seq 25); do
                answer=$(curl -sN \(gateway)/v1/chat/completions -d '{"model": "hone",
                  "stream": '$1', "max_tokens": 150, "temperature": 1,
                  "messages": [{"role": "user", "content": "Sort: '$2' c b a d"}]}')
                case "$answer" in
                  *'"error"'*) echo "refused: $answer"; return 1;;
                  *'[DONE]'*|*'"finish_reason"'*) ;;
                  *) echo "cut: $answer"; return 1;;
                esac
              done
            }
            callers=
            for caller in 1 2 3 4; do
              ask true $caller & callers="$callers $!"
              ask false $caller & callers="$callers $!"
            done
            sleep 0.4
            kill -9 \(replica)
            for caller in $callers; do wait $caller; done
            echo all answered
            """)
        #expect(text.contains("all answered"), Comment(rawValue: text))
        // Some answers were on their way when it died, and another replica made them anew.
        let lost = try rig.shell("curl -sf \(gateway)/metrics").split(separator: "\n").first {
            $0.hasPrefix("grpc_client_handled_total{") && $0.contains("\"Generate\"")
                && $0.contains("\"Unavailable\"")
        }
        #expect(Self.value(lost) > 0, Comment(rawValue: String(lost ?? "none was lost")))
    }

    private static func value(_ line: Substring?) -> Int {
        line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    @Test(.enabled(if: Programs.hasHone, "the executables are not built"))
    func `a replica that is added under load takes its share within five seconds`() throws {
        let rig = try Rig()
        try rig.up(replicas: 1)
        try rig.makeModel("tiny")
        try rig.shell("hone load tiny")
        let gateway = try #require(try rig.entry("gateway")["http"] as? String)
        let stop = rig.folder.appending(path: "stop").path
        /// How many answers each replica has begun.
        func begun() throws -> [String: Int] {
            var counts: [String: Int] = [:]
            for line in try rig.shell("hone metrics inference").split(separator: "\n")
            where line.hasPrefix("grpc_server_started_total{") && line.contains("\"Generate\"") {
                let instance = line.split(separator: "instance=\"").last?.prefix { $0 != "\"" }
                counts[String(instance ?? "")] = Self.value(line)
            }
            return counts
        }
        let load = try rig.start(
            """
            for caller in 1 2 3 4; do
              while [ ! -e \(stop) ] && [ $SECONDS -lt 100 ]; do
                curl -sf -o /dev/null \(gateway)/v1/chat/completions -d '{"model": "hone",
                  "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]}' || exit 1
              done &
            done
            wait
            """)
        defer { try? Data().write(to: URL(filePath: stop)) }
        try rig.up(replicas: 2)
        let added = ContinuousClock.now
        let place = try #require(try rig.entry("inference-2")["address"] as? String)
        while try begun()[place] ?? 0 == 0 {
            try #require(ContinuousClock.now - added < .seconds(5), "it got no question")
        }
        let before = try begun()
        var after = before
        while after.values.reduce(0, +) < before.values.reduce(0, +) + 60 {
            usleep(50_000)
            after = try begun()
        }
        let took = after.map { $0.value - (before[$0.key] ?? 0) }
        #expect(took.count == 2 && took.allSatisfy { $0 >= 12 }, "\(took)")
        try Data().write(to: URL(filePath: stop))
        load.waitUntilExit()
        #expect(load.terminationStatus == 0)
    }
}
