#!/bin/sh
# exits.sh CODE COMMAND...: succeeds if COMMAND ends with exactly that exit
# code, so that a test can tell a refused input (1) from file trouble (2) and
# both from a crash.
want=$1
shift
"$@"
got=$?
if [ "$got" -ne "$want" ]; then
  echo "exit code $got where $want was expected: $*" >&2
  exit 1
fi
