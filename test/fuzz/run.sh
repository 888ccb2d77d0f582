#!/usr/bin/env bash
# run.sh [--repeatable] [SECONDS] [TARGET...]
#
# Builds the fuzz targets into build-fuzz/ and runs each for SECONDS (default 30),
# the targets one after the other (default all): program, model, json, ... Prints
# how many inputs were tried and how many edges of the code they reached. Exit code
# 1 if an input crashes, hangs or shows a mistake; it is kept, and its path printed.
#
# With --repeatable, a target forgets what earlier runs found, and takes the same
# random numbers and, where the system lets it, the same addresses each time. So
# runs of the same code try much the same inputs: thousands of them exactly, until
# the order of threads makes a difference.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build-fuzz
export PATH="/usr/bin:/bin:$PATH"

fail() {
  printf 'run.sh: %s\n' "$*" >&2
  exit 2
}

isRepeatable=false
if [[ ${1:-} == --repeatable ]]; then
  isRepeatable=true
  shift
fi
seconds=${1:-30}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "expected a number of seconds, found $seconds"
shift $(($# > 0))
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for source in "$here"/Fuzz*.cpp; do
    name=$(basename "$source" .cpp)
    targets+=("$(tr '[:upper:]' '[:lower:]' <<<"${name#Fuzz}")")
  done
fi

command -v clang++-19 >/dev/null ||
  fail "libFuzzer comes with clang: apt-get install clang-19 libclang-rt-19-dev"
mkdir -p "$build"
# Several may run at once.
exec 9>"$build/.lock"
flock 9
start=$SECONDS
if ! { cmake -S "$root" --preset fuzz &&
       ninja -C "$build" -j "$(nproc)" fuzz; } >"$build/build.log" 2>&1; then
  cat "$build/build.log" >&2
  fail "building failed; the messages stand above"
fi
echo "Built the fuzz targets in $((SECONDS - start)) s."

# LLVM's headers, compiled with sanitizers, poison memory that its library,
# compiled without, then takes for its own.
export ASAN_OPTIONS=allow_user_poisoning=0:${ASAN_OPTIONS:-}
export LSAN_OPTIONS=print_suppressions=0:${LSAN_OPTIONS:-}
seeds=$build/seeds
if [[ ! $seeds -nt $build/bin/fuzz-seeds ]]; then
  rm -rf "$seeds"
  "$build/bin/fuzz-seeds" "$seeds" || fail "there are no seeds"
fi
flock -u 9

# What libFuzzer needs to know of a target, in the array `options`. The inputs to
# start from are given as a sorted list, since folders are read in any order.
describe() {
  options=(-max_len=4096 -timeout=60 -rss_limit_mb=3000)
  "$isRepeatable" && options+=(-seed=1)
  local list=$build/findings/$1.inputs
  find "$seeds/$1" "$here/corpus/$1" -type f 2>/dev/null | LC_ALL=C sort |
    paste -sd, >"$list" || true
  options+=(-seed_inputs=@"$list")
  case $1 in
    program) options+=(-max_len=500 -dict="$here/rasp.dict") ;;
    json) options+=(-max_len=20000 -dict="$here/json.dict") ;;
    ir | circuit) options+=(-max_len=6000 -dict="$here/$1.dict") ;;
    model) options+=(-max_len=60000 -dict="$here/json.dict") ;;
  esac
}

# Addresses decide what a hash table holds where, and so which edges are reached.
fixedAddresses=()
if "$isRepeatable" && setarch -R true 2>/dev/null; then
  fixedAddresses=(setarch -R)
fi

status=0
for target in "${targets[@]}"; do
  program=$build/bin/fuzz-$target
  [[ -x $program ]] || fail "there is no target $target"
  mkdir -p "$build/findings"
  describe "$target"
  # Inputs that reach something new, kept from one run to the next.
  found=$build/corpus/$target
  "$isRepeatable" && found=$build/corpus/repeatable-$target && rm -rf "$found"
  mkdir -p "$found"
  log=$build/findings/$target.log
  if ! (cd "$found" && "${fixedAddresses[@]}" "$program" "${options[@]}" -max_total_time="$seconds" \
          -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
          "$found") >"$log" 2>&1; then
    status=1
    grep -v '^#' "$log" | head -n 60 >&2
    finding=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "$target: this input shows a mistake: ${finding:-none was kept, see $log}"
    continue
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  echo "$target: $runs inputs in $seconds s, $edges edges reached, no mistake (at most $peak MB)"
done
exit $status
