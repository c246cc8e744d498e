// swift-tools-version: 6.2
import PackageDescription

// The map: one line a target. A target imports only what its line names.
let targets: [Target] = [
    // C, fenced
    .systemLibrary(
        name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
        name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
        name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    clang("CLD2", linking: "cld2"),
    clang("CKernels"),
    // ground
    module("Wire"),
    module("Tokenization"),
    loopModule("HTTP2", "CNghttp2"),
    module("TLS", "COpenSSL", nio("NIOCore")),
    module("Gzip", "CZlib"),
    module("Tensors", "COpenBLAS", "CKernels"),
    // middle
    loopModule(
        "RPC", "Wire", "HTTP2", "TLS", "Gzip", nio("NIOCore"), nio("NIOPosix"),
        nio("NIOConcurrencyHelpers")),
    module("Llama", "Tensors"),
    module("Corpus", "CLibXML2", "CLD2"),
    module("Chat", "CCurl"),
    // upper
    module("Schema", "RPC", "Wire"),
    module("WebServing", "TLS", hummingbirdCore(), log(), nio("NIOCore")),
    module("Revising", "Corpus"),
    module("Judging", "Corpus"),
    module("Drills", "Revising", "Judging", "Corpus"),
    module("Generation", "Llama", "Tensors", "Tokenization"),
    module("Training", "Llama", "Tensors", "Tokenization"),
    module("Jobs", grdb()),
    module(
        "ServiceKit", "Schema", "RPC", "Jobs", "TLS", "Wire", argumentParser(), log(), metrics(),
        lifecycle(), unixSignals(), nio("NIOCore"), nio("NIOPosix")),
    // services: each one folder, one target, one executable
    service("data", "Corpus", grdb()),
    service("augmentation", "Corpus", "Revising", "Chat", grdb()),
    service("trainer", "Corpus", "Revising", "Training", "Llama", "Tensors", "Tokenization"),
    service("inference", "Corpus", "Revising", "Generation", "Llama", "Tensors", "Tokenization"),
    service("evaluator", "Corpus", "Revising", "Judging", "Chat", grdb()),
    service(
        "gateway", "Corpus", "Drills", "TLS", "WebServing", hummingbird(), nio("NIOCore"), yams(),
        lifecycle()),
    service(
        "tutor", "Corpus", "Revising", "Judging", "Drills", "TLS", "WebServing", hummingbird(),
        nio("NIOCore"), lifecycle()),
    // command
    command("hone", "Schema", "ServiceKit", "RPC", "TLS", "Wire", argumentParser()),
    // tests
    .systemLibrary(name: "CMalloc", path: "Tests/CMalloc"),
    kit("TestKit", "Corpus"),
    kit(
        "FuzzKit", "Schema", "RPC", "HTTP2", "Wire", "Gzip", nio("NIOCore"), nio("NIOEmbedded")),
    tests(of: "Wire"),
    tests(of: "Tokenization"),
    tests(of: "HTTP2"),
    tests(of: "TLS", nio("NIOCore"), nio("NIOEmbedded"), nio("NIOPosix")),
    tests(of: "Gzip"),
    tests(of: "Tensors"),
    tests(
        of: "RPC", "Wire", "HTTP2", "TLS", "Gzip", "FuzzKit", "CMalloc", nio("NIOCore"),
        nio("NIOPosix")),
    tests(of: "Llama", "Tensors"),
    tests(of: "Corpus"),
    tests(of: "Chat"),
    tests(of: "Schema", "RPC", "Wire"),
    tests(of: "Revising", "Corpus"),
    tests(of: "Judging", "Corpus"),
    tests(of: "Drills", "Revising", "Judging", "Corpus"),
    tests(of: "Generation", "Llama", "Tensors", "Tokenization"),
    tests(of: "Training", "Llama", "Tensors", "Tokenization"),
    tests(of: "Jobs"),
    tests(
        of: "ServiceKit", "Schema", "RPC", "Jobs", "Wire", argumentParser(), log(), nio("NIOCore"),
        nio("NIOPosix")),
    tests(of: "DataService", "Corpus", "Schema", "ServiceKit", "RPC", "Wire"),
    tests(
        of: "AugmentationService", "Corpus", "Revising", "Chat", "Schema", "ServiceKit", "RPC",
        "Wire", "Jobs"),
    tests(
        of: "TrainerService", "Schema", "ServiceKit", "RPC", "Wire", "Training", "Llama", "Tensors",
        "Tokenization", "Corpus", "Revising", "Jobs"),
    tests(
        of: "InferenceService", "Schema", "ServiceKit", "RPC", "Wire", "Generation", "Llama",
        "Tensors", "Tokenization", "Revising", "Corpus"),
    tests(
        of: "EvaluatorService", "Corpus", "Judging", "Chat", "Schema", "ServiceKit", "RPC", "Wire",
        "Jobs"),
    tests(of: "GatewayService", log(), "Corpus", "Schema", "ServiceKit", "RPC", "Wire", "Jobs"),
    tests(of: "TutorService", "Drills", "Revising", "Judging", "Corpus"),
    tests(of: "Suite", depends: false),
    tests(of: "Tidy", depends: false),
    tests(
        of: "Foreign", depends: false, "RPC", "TLS", "Wire", "Schema", nio("NIOCore"),
        nio("NIOPosix")),
]

let products: [Product] =
    [
        "data", "augmentation", "trainer", "inference", "evaluator", "gateway", "tutor",
    ].map { .executable(name: "hone-\($0)", targets: [serviceTarget($0)]) }
    + [.executable(name: "hone", targets: ["hone"])]

let package = Package(
    name: "hone",
    products: products,
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: targets,
    cxxLanguageStandard: .cxx17
)

func settings() -> [SwiftSetting] {
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]
}

func module(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings())
}

/// A module whose objects live on one event loop each. What the compiler cannot prove of them, that
/// no two accesses to a property overlap, is checked while running in debug builds alone: in
/// release builds the checks would be a tenth of a call's time.
func loopModule(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(
        name: name, dependencies: dependencies,
        swiftSettings: settings() + [
            .unsafeFlags(
                ["-enforce-exclusivity=unchecked"], .when(configuration: .release))
        ])
}

func clang(_ name: String, linking library: String? = nil) -> Target {
    .target(
        name: name,
        cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Werror"])],
        cxxSettings: [.unsafeFlags(["-O2", "-Wall", "-Werror"])],
        linkerSettings: library.map { [.linkedLibrary($0)] } ?? [])
}

/// A service is one folder, one target, one executable: `services/data` is `DataService`, `hone-data`.
func service(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(
        name: serviceTarget(name),
        dependencies: ["Schema", "ServiceKit", "RPC", "Wire", "Jobs", argumentParser(), log()]
            + dependencies,
        path: "services/\(name)",
        exclude: ["README.md"] + (name == "gateway" ? ["workflows"] : []),
        resources: name == "gateway" ? [.embedInCode("page")] : [],
        swiftSettings: settings())
}

func serviceTarget(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst() + "Service"
}

func command(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings())
}

func kit(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings())
}

func tests(of name: String, depends: Bool = true, _ dependencies: Target.Dependency...) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: (depends ? [.target(name: name)] : []) + ["TestKit"] + dependencies,
        path: "Tests/\(name)Tests",
        swiftSettings: settings())
}

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }
func argumentParser() -> Target.Dependency {
    .product(name: "ArgumentParser", package: "swift-argument-parser")
}
func log() -> Target.Dependency { .product(name: "Logging", package: "swift-log") }
func metrics() -> Target.Dependency { .product(name: "Metrics", package: "swift-metrics") }
func lifecycle() -> Target.Dependency {
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
}
func unixSignals() -> Target.Dependency {
    .product(name: "UnixSignals", package: "swift-service-lifecycle")
}
func hummingbird() -> Target.Dependency { .product(name: "Hummingbird", package: "hummingbird") }
func hummingbirdCore() -> Target.Dependency {
    .product(name: "HummingbirdCore", package: "hummingbird")
}
func grdb() -> Target.Dependency { .product(name: "GRDB", package: "GRDB.swift") }
func yams() -> Target.Dependency { .product(name: "Yams", package: "Yams") }
