#!/usr/bin/env bash
# environment.sh FOLDER [PYTHON]
#
# Makes FOLDER a virtual environment with what the tests of other people's
# readers need (requirements.txt), 1.6 GB, and puts the last TransformerLens with
# HookedTransformer into FOLDER/hooked, for PYTHONPATH. An environment that was
# made from the same lists is left as it is. Where that fails, the last line on
# stderr says why, FOLDER is gone, and the exit code is 1.
#
# PyTorch is the build for the CPU: pip must be told of an index or a folder that
# has it (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS) where its own index does not.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?"usage: environment.sh FOLDER [PYTHON]"}
python=${2:-python3}
lists=("$here/requirements.txt" "$here/requirements-hooked.txt")
stamp=$folder/made-from

if [[ -f $stamp ]] && cat "${lists[@]}" | cmp -s - "$stamp" &&
   "$folder/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

rm -rf "$folder"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
  rm -rf "$folder"
  printf 'environment.sh: %s: %s\n' "$1" \
    "$(grep -E -m1 '^(ERROR|Error)' "$log" || tail -n1 "$log")" >&2
  exit 1
}

"$python" -m venv "$folder" >"$log" 2>&1 || fail "no virtual environment"
install=("$folder/bin/python" -m pip install --quiet --no-deps --no-cache-dir
         --retries 2 --disable-pip-version-check)
"${install[@]}" -r "${lists[0]}" >"$log" 2>&1 ||
  fail "the packages cannot be had"
"${install[@]}" --target "$folder/hooked" -r "${lists[1]}" >"$log" 2>&1 ||
  fail "the packages cannot be had"
"$folder/bin/python" -c 'import h5py, matplotlib, onnxruntime, transformer_lens' \
  >"$log" 2>&1 || fail "the packages do not work"
PYTHONPATH=$folder/hooked "$folder/bin/python" -c \
  'from transformer_lens import HookedTransformer' >"$log" 2>&1 ||
  fail "the packages do not work"
cat "${lists[@]}" >"$stamp"
