#!/usr/bin/env bash
# Makes the image from programs that are built already: image.sh IMAGE PROGRAMS
# PROGRAMS is a folder with the executables, as `swift build -c release` leaves them.
set -euo pipefail
image=$1 programs=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/out/bin" "$folder/out/lib"
find "$programs/" -maxdepth 1 -type f -name 'hone*' -executable -exec cp {} "$folder/out/bin/" \;
find "$programs/" -maxdepth 1 -name '*.resources' -exec cp -r {} "$folder/out/bin/" \;
strip "$folder"/out/bin/hone*
runtime=$(swiftc -print-target-info |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["paths"]["runtimeLibraryPaths"][0])')
cp "$runtime"/lib*.so "$folder/out/lib/"
tar -C "$folder" -c . | docker import - "$image-programs" >/dev/null
docker build -q --build-arg "PROGRAMS=$image-programs" -t "$image" "$here" >/dev/null
docker image rm "$image-programs" >/dev/null
