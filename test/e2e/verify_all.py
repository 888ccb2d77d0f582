"""verify_all.py FOLDER: verifies every model of the folder.

A model with at most two million inputs must be compared on all of them, any
other on 20,000. With a causal mask some programs fail on some inputs (a sort
that cannot look ahead finds no value for a place); without one none does. And
every certificate must hold.
"""

import json
import pathlib
import subprocess
import sys

import h5py

MOST_INPUTS = 2_000_000
SAMPLES = 20_000

bad = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.h5")):
    with h5py.File(path) as file:
        config = json.loads(file.attrs["tl_config"])
        tokens = config["d_vocab"] - 2  # without BOS and PAD
        longest = config["n_ctx"] - 1
    total = sum(tokens**n for n in range(1, longest + 1))
    run = subprocess.run(["rasp-verify", "--json", path], stdout=subprocess.PIPE)
    result = json.loads(run.stdout)
    checked = result["inputs"] + result["excluded"]
    exhaustive = total <= MOST_INPUTS
    good = (
        run.returncode == 0
        and result["mismatches"] == 0
        and result["exhaustive"] == exhaustive
        and checked == (total if exhaustive else SAMPLES)
        and (result["excluded"] == 0 or path.name.endswith(".causal.h5"))
    )
    bad += not good
    print(path.name, json.dumps(result), "" if good else "BAD")
    certified = subprocess.run(
        ["rasp-verify", "--check-certificate", path], stdout=subprocess.PIPE, text=True
    )
    if certified.returncode != 0:
        bad += 1
        print(path.name, certified.stdout, "BAD")
sys.exit(bad > 0)
