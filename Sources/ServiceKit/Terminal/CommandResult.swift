public import ArgumentParser
import FoundationEssentials

/// Results for programs: one JSON value on standard output, its keys in order.
public enum JSONOutput {
    public static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    public static func print(_ value: some Encodable) throws {
        Swift.print(try text(value))
    }
}

/// A command that could not do what it was asked: what happened, to what, what to do next.
public struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

extension AsyncParsableCommand {
    /// Parses the command line, runs the command and exits: 0 done, 1 failed, 64 wrong usage.
    public static func runAndExit() async -> Never {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit()
        } catch {
            exit(withError: error)
        }
    }
}
