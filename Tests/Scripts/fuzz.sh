#!/usr/bin/env bash
# Fuzzes a part of the RPC layer with libFuzzer and the address sanitizer: fuzz.sh TARGET [SECONDS]
#
# TARGET is a case of FuzzTarget (Tests/FuzzKit), SECONDS the time it gets, 60 by default. The corpus
# stays under .build/fuzz/corpus/TARGET and grows from run to run. A finding ends the run with its
# bytes in .build/fuzz/found: they belong among FuzzTests.found once they are mended.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
target=${1:?a target, such as serverFrames}
seconds=${2:-60}
layer=${HONE_BUILD:-$here/.build}/fuzz
corpus=$layer/corpus/$target
mkdir -p "$layer/Fuzz" "$corpus" "$layer/found"
# An executable of the package manager begins in a function named after it, which starts libFuzzer.
cat >"$layer/Fuzz/Fuzz.swift" <<'SWIFT'
import FuzzKit
import Glibc

let target: FuzzTarget = {
    let name = getenv("HONE_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let found = FuzzTarget.allCases.first(where: { "\($0)" == name }) else {
        fatalError("HONE_FUZZ_TARGET must be one of \(FuzzTarget.allCases)")
    }
    return found
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

@_cdecl("Fuzz_main")
public func begin(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, fuzz)
}
SWIFT
python3 "$here/Tests/Scripts/rpc_layer.py" "$layer" \
    '    .executableTarget(name: "Fuzz", dependencies: ["FuzzKit"], path: "Fuzz", swiftSettings: [
        .swiftLanguageMode(.v5), .unsafeFlags(["-parse-as-library"])]),'
nice swift build --package-path "$layer" -c release --product Fuzz \
    -Xswiftc -sanitize=fuzzer,address
export HONE_FUZZ_TARGET=$target ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0
export LSAN_OPTIONS=suppressions=$here/Tests/Scripts/leak.supp
exec nice "$layer/.build/release/Fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$layer/found/$target-" "$corpus"
