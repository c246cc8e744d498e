// Becoming another program takes C strings: the one place outside the fenced modules and
// ComputeThread.swift that does.
import FoundationEssentials
import Glibc

/// The executables that lie beside this one, and how this process becomes one of them.
public enum Executables {
    /// The folder of the running executable.
    public static func folder() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().path
    }

    /// The path of a sibling, or nil if it was not built.
    public static func path(of name: String) throws -> String? {
        let path = try folder() + "/" + name
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    /// The name an executable goes by in its help: "hone", where that command has become it.
    public static func name(_ own: String) -> String {
        HoneEnvironment.process["BECAME"] == own ? "hone" : own
    }

    /// Makes this process a sibling: its process id, its streams and its signals stay.
    ///
    /// - Throws: if there is no such executable; returns never otherwise.
    public static func become(_ name: String, _ arguments: [String]) throws -> Never {
        guard let path = try path(of: name) else {
            throw CommandFailure(
                "\(name) does not lie in \(try folder()); build it: swift build --product \(name)")
        }
        unsafe setenv("HONE_BECAME", name, 1)
        // The copies live until the process is another one, or ends here.
        var pointers = unsafe ([path] + arguments).map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        _ = unsafe execv(path, pointers)
        throw CommandFailure("\(path) cannot be executed: error \(errno)")
    }
}
