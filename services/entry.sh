#!/bin/sh
# The image's one entry: a service by its name, or any verb of the command line.
set -eu
case "${1:-}" in
data | augmentation | trainer | inference | evaluator | gateway | tutor)
    service=$1
    shift
    exec "/usr/bin/hone-$service" serve "$@"
    ;;
*)
    exec /usr/bin/hone "$@"
    ;;
esac
