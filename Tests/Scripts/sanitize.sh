#!/usr/bin/env bash
# Runs the tests of the RPC layer under a sanitizer: sanitize.sh address|thread [FILTER]
#
# Builds the layer alone, in debug, under .build/sanitize, beside the ordinary build. The address
# sanitizer looks for leaks, too. FILTER is a regular expression of test names. Ends with 0 only
# where every test passed and the sanitizer found nothing.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
kind=${1:?address or thread}
filter=${2:-.}
layer=${HONE_BUILD:-$here/.build}/sanitize/$kind
options=()
[ "$kind" = thread ] && options=(--visible-locks)
python3 "$here/Tests/Scripts/rpc_layer.py" "${options[@]}" "$layer"
log=$layer/sanitize.log
nice swift build --package-path "$layer" --build-tests --sanitize "$kind"
# A report ends the run, so that no test passes over it.
export ASAN_OPTIONS=detect_stack_use_after_return=0:halt_on_error=1:exitcode=66
export TSAN_OPTIONS=halt_on_error=0:exitcode=66:suppressions=$here/Tests/Scripts/thread.supp
export LSAN_OPTIONS=suppressions=$here/Tests/Scripts/leak.supp
# Everything is several times slower: tests that time themselves are told so.
export HONE_SANITIZER=$kind
status=0
nice swift test --package-path "$layer" --skip-build --sanitize "$kind" --no-parallel \
    --filter "$filter" >"$log" 2>&1 || status=$?
grep -E "WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|SUMMARY|✘|Test run with" "$log" ||
    true
echo "the whole output: $log"
exit "$status"
