#!/usr/bin/env bash
# quickstart.sh [PROGRAM.rasp INPUT]
#
# From a fresh Debian 12 to a running transformer: installs what is missing,
# builds, compiles PROGRAM (examples/reverse.rasp unless told otherwise), runs
# the model on INPUT and verifies it.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/.ci/setup.sh"

case $# in
  0) program=$root/examples/reverse.rasp input=hello ;;
  2) program=$1 input=$2 ;;
  *) echo "usage: quickstart.sh [PROGRAM.rasp INPUT]" >&2; exit 2 ;;
esac
[[ -f $program ]] || fail "no such program: $program"

rasp_setup
rasp_build raspc rasp-run rasp-verify

name=$(basename "$program" .rasp)
model=$build/quickstart/$name.h5
mkdir -p "$build/quickstart"

echo
echo "$ raspc ${program#"$root/"} -o ${model#"$root/"} --stats"
"$build/bin/raspc" "$program" -o "$model" --stats
echo
echo "$ rasp-run ${model#"$root/"} '$input'  &&  rasp-verify ${model#"$root/"}"
"$build/bin/rasp-run" "$model" "$input"
"$build/bin/rasp-verify" "$model"
