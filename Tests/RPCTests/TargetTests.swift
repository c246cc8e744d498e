import RPC
import Testing

struct TargetTests {
    @Test func `targets are read in every form`() throws {
        #expect(try Target(parsing: "127.0.0.1:7401") == .dns(host: "127.0.0.1", port: 7401))
        #expect(try Target(parsing: "dns:///inference:7404") == .dns(host: "inference", port: 7404))
        #expect(try Target(parsing: "[::1]:80") == .dns(host: "::1", port: 80))
        #expect(
            try Target(parsing: "a:1, b:2,dns:///c:3")
                == .addresses([
                    .init(host: "a", port: 1), .init(host: "b", port: 2), .init(host: "c", port: 3),
                ]))
        #expect(try Target(parsing: "[::1]:80").description == "[::1]:80")
    }

    @Test func `sockets of the machine are named by path, beside hosts, too`() throws {
        let socket = Target.unix("/run/a.sock")
        #expect(try Target(parsing: "unix:/run/a.sock") == socket)
        #expect(try Target(parsing: "unix:///run/a.sock") == socket)
        #expect(socket.description == "unix:/run/a.sock")
        #expect(
            try Target(parsing: "a:1, unix:/run/a.sock")
                == .addresses([.init(host: "a", port: 1), .init(path: "/run/a.sock")]))
    }

    @Test func `what names no socket is refused with the form expected`() {
        for text in ["unix:", "unix:/", "unix:a.sock", "unix://", "a:1,unix:b"] {
            let error = #expect(throws: TargetError.self) { try Target(parsing: text) }
            #expect(error?.description.contains("unix:/PATH") == true, "\(text)")
        }
        #expect(throws: TargetError.elsewhere("unix://host/a.sock")) {
            try Target(parsing: "unix://host/a.sock")
        }
        let long = "unix:/" + String(repeating: "a", count: 107)
        #expect(throws: TargetError.longPath(long, bytes: 108)) { try Target(parsing: long) }
        #expect((try? Target(parsing: String(long.dropLast()))) != nil)
    }

    @Test func `each address is told with the name its certificate must bear`() async throws {
        let target = try Target(parsing: "127.0.0.1:1,localhost:2,no-such-host.invalid:3")
        let addresses = try await target.addresses()
        #expect(addresses.first?.name == "127.0.0.1")
        #expect(addresses.first?.endpoint == .init(host: "127.0.0.1", port: 1))
        #expect(
            addresses.dropFirst().allSatisfy { $0.name == "localhost" && $0.endpoint.port == 2 })
        #expect(addresses.count > 1)
        let nowhere = try Target(parsing: "no-such-host.invalid:3")
        let error = await #expect(throws: Status.self) { try await nowhere.addresses() }
        #expect(error?.message.contains("no-such-host.invalid") == true)
    }

    @Test(arguments: ["", "host", "host:", ":1", "host:70000", "a:1,,b:2", "host:x"])
    func `what names no server is refused with the form expected`(text: String) {
        let error = #expect(throws: TargetError.self) { try Target(parsing: text) }
        #expect(error?.description.contains("HOST:PORT") == true)
    }
}
