#!/usr/bin/env bash
# check.sh [LIT-OPTION...]
#
# Installs what is missing, builds, runs every test. The last line counts them:
# "N passed, N failed". Exit code 0 only if none failed. The packages for the tests
# with TransformerLens and ONNX are fetched while it builds; where they cannot be
# had, a line says so and these tests are skipped. Without options, every fuzz
# target runs for half a minute as well and counts as a test.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/.ci/setup.sh"

if [[ $# -eq 0 ]]; then
  packages+=("${fuzz_packages[@]}")
fi
rasp_setup
"$root/test/python/environment.sh" "$build/python" /usr/bin/python3 2>&1 \
  >/dev/null | sed 's/^/No tests with TransformerLens: /' &
rasp_build
wait

results=$build/test/results.json
rm -f "$results"
lit=$(sed -n 's/^RASP_LIT:[^=]*=//p' "$build/CMakeCache.txt")
python=$(sed -n 's/^RASP_PYTHON:[^=]*=//p' "$build/CMakeCache.txt")
status=0
"$python" "$lit" -sv --show-unsupported --output "$results" "$@" \
  "$build/test" "$build/test/unit" "$build/test/examples" || status=$?
[[ -f $results ]] || fail "lit stopped before it ran the tests"

fuzzed=0 mistaken=0
if [[ $# -eq 0 ]] && ! command -v clang++-19 >/dev/null; then
  echo "No fuzzing: there is no clang-19."
elif [[ $# -eq 0 ]]; then
  code=0
  lines=$("$root/test/fuzz/run.sh" --repeatable 30) || code=$?
  echo "$lines"
  fuzzed=$(grep -c ' no mistake ' <<<"$lines") || true
  mistaken=$(grep -c ' shows a mistake: ' <<<"$lines") || true
  [[ $code -eq 0 || $mistaken -gt 0 ]] || status=$code
fi

"$python" - "$results" "$status" "$fuzzed" "$mistaken" <<'END'
import collections, json, sys

with open(sys.argv[1]) as file:
    codes = collections.Counter(test["code"] for test in json.load(file)["tests"])
codes.pop("EXCLUDED", None)
passed = codes.pop("PASS", 0) + codes.pop("XFAIL", 0) + codes.pop("FLAKYPASS", 0)
skipped = codes.pop("UNSUPPORTED", 0) + codes.pop("SKIPPED", 0)
failed = sum(codes.values())
passed += int(sys.argv[3])
failed += int(sys.argv[4])
line = f"{passed} passed, {failed} failed"
if skipped:
    line += f", {skipped} skipped"
print(line)
sys.exit(0 if passed and not failed and sys.argv[2] == "0" else 1)
END
