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
    }
}
