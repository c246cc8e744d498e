import FoundationEssentials
import GRDB
package import Schema
import Wire

/// What the service knows: dataset versions, media types of artifacts, models; and the artifacts.
///
/// One process owns the folder: SQLite's lock is taken at the start and kept. An artifact is on the
/// disk before a row names it, so a row never points to nothing.
package struct DataStore: Sendable {
    package let artifacts: ArtifactStore
    private let path: String
    private let queue: DatabaseQueue

    package init(folder: String) throws {
        path = folder + "/data.sqlite"
        var configuration = Configuration()
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { try $0.execute(sql: Self.tables) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw DataError.inUse(path: path)
        } catch {
            throw DataError.storage(path: path, reason: "\(error)")
        }
        artifacts = try ArtifactStore(folder: folder)
    }

    private static let tables = """
        CREATE TABLE IF NOT EXISTS version (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            version TEXT NOT NULL,
            record BLOB NOT NULL,
            statistics BLOB NOT NULL,
            UNIQUE (name, version)
        );
        CREATE TABLE IF NOT EXISTS artifact (
            hash TEXT PRIMARY KEY,
            mediaType TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS model (
            name TEXT PRIMARY KEY,
            record BLOB NOT NULL
        ) WITHOUT ROWID;
        """

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await queue.write(body)
        } catch let error as DatabaseError {
            throw DataError.storage(path: path, reason: "\(error)")
        }
    }

    package static func now() -> Int {
        Int(Date().timeIntervalSince1970 * 1000)
    }
}

// Datasets.
extension DataStore {
    /// Enters a version and makes it the latest of its name. Content that is there already keeps the
    /// time at which it came first.
    package func enter(
        _ version: DatasetVersion, _ statistics: DatasetStatistics
    ) async throws -> DatasetVersion {
        try await perform { database in
            var version = version
            let known = try Row.fetchOne(
                database, sql: "SELECT record FROM version WHERE name = ? AND version = ?",
                arguments: [version.name, version.version])
            if let known {
                let bytes: Data = known["record"]
                let first = try DatasetVersion(decoding: [UInt8](bytes))
                version.createdAtMilliseconds = first.createdAtMilliseconds
                try database.execute(
                    sql: "DELETE FROM version WHERE name = ? AND version = ?",
                    arguments: [version.name, version.version])
            }
            try database.execute(
                sql: """
                    INSERT INTO version (name, version, record, statistics)
                    VALUES (?, ?, ?, ?)
                    """,
                arguments: [
                    version.name, version.version, Data(version.encoded()),
                    Data(statistics.encoded()),
                ])
            return version
        }
    }

    /// Finds a version: the latest without a hash; the beginning of a hash will do.
    package func version(_ reference: DatasetReference) async throws -> DatasetVersion {
        try DatasetVersion(decoding: try await row(reference).record)
    }

    package func statistics(_ reference: DatasetReference) async throws -> DatasetStatistics {
        try DatasetStatistics(decoding: try await row(reference).statistics)
    }

    private struct VersionRow: Sendable {
        let record: [UInt8]
        let statistics: [UInt8]

        init(_ row: Row) {
            let record: Data = row["record"]
            let statistics: Data = row["statistics"]
            self.record = [UInt8](record)
            self.statistics = [UInt8](statistics)
        }
    }

    private func row(_ reference: DatasetReference) async throws -> VersionRow {
        let name = reference.name
        let version = reference.version
        return try await perform { database in
            // `substr` instead of LIKE: a version typed by a person holds no pattern.
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT record, statistics FROM version
                    WHERE name = ? AND substr(version, 1, ?) = ?
                    ORDER BY number DESC LIMIT 2
                    """,
                arguments: [name, version.utf8.count, version])
            guard let first = rows.first else {
                throw DataError.noDataset(name: name, version: version)
            }
            if !version.isEmpty, rows.count > 1 {
                throw DataError.ambiguousVersion(
                    name: name, version: version, matches: rows.count)
            }
            return VersionRow(first)
        }
    }

    /// Lists versions, the newest first.
    package func list(_ query: DatasetQuery) async throws -> [DatasetVersion] {
        let limit = query.limit == 0 ? Self.defaultListLimit : min(query.limit, 10_000)
        let blobs = try await perform { database in
            try Data.fetchAll(
                database,
                sql: """
                    SELECT record FROM version AS one
                    WHERE substr(name, 1, ?) = ? AND (? OR NOT EXISTS (
                        SELECT 1 FROM version AS other
                        WHERE other.name = one.name AND other.number > one.number))
                    ORDER BY number DESC LIMIT ?
                    """,
                arguments: [
                    query.namePrefix.unicodeScalars.count, query.namePrefix, query.allVersions,
                    limit,
                ])
        }
        return try blobs.map { try DatasetVersion(decoding: [UInt8]($0)) }
    }

    private static let defaultListLimit = 100
}

// Artifacts and models.
extension DataStore {
    /// Remembers what kind of content an artifact is; the first who says so is believed.
    package func note(mediaType: String, of hash: String) async throws {
        guard !mediaType.isEmpty else { return }
        try await perform { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO artifact (hash, mediaType) VALUES (?, ?)",
                arguments: [hash, mediaType])
        }
    }

    package func mediaType(of hash: String) async throws -> String {
        try await perform { database in
            try String.fetchOne(
                database, sql: "SELECT mediaType FROM artifact WHERE hash = ?", arguments: [hash])
        } ?? ""
    }

    package func enter(_ model: ModelRecord) async throws {
        try await perform { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO model (name, record) VALUES (?, ?)",
                arguments: [model.name, Data(model.encoded())])
        }
    }

    package func model(_ name: String) async throws -> ModelRecord {
        let blob = try await perform { database in
            try Data.fetchOne(
                database, sql: "SELECT record FROM model WHERE name = ?", arguments: [name])
        }
        guard let blob else { throw DataError.noModel(name: name) }
        return try ModelRecord(decoding: [UInt8](blob))
    }

    package func models() async throws -> [ModelRecord] {
        let blobs = try await perform { database in
            try Data.fetchAll(database, sql: "SELECT record FROM model ORDER BY name")
        }
        return try blobs.map { try ModelRecord(decoding: [UInt8]($0)) }
    }
}
