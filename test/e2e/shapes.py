"""shapes.py EXAMPLES BENCH WORKDIR: whether the models of the benchmark's programs
(BENCH/limits.json) are as small as they have been."""

import json
import pathlib
import subprocess
import sys

KEYS = """layers heads d_head d_mlp d_model parameters parameters_ragged
          nonzeros seconds""".split()
# Most layers and parameters; for the others the benchmark's targets hold.
MOST = {
    "sort": (3, 200_000),
    "most_frequent": (3, 520_000),
    "dyck1_ptf": (2, 30_000),
    "dyck2_ptf": (5, 1_210_000),
}

examples, bench, workdir = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(bench))
from table import vocabulary

limits = json.loads((bench / "limits.json").read_text())
for row in limits["programs"]:
    name, target = row["program"], row["target"]
    layers, parameters = MOST.get(name, (target["layers"], target["parameters"]))
    command = ["raspc", examples / (name + ".rasp"), *vocabulary(row)]
    command += [f"--max-seq-len={row.get('length', limits['length'])}"]
    command += ["--stats=json", "-o", workdir / (name + ".h5")]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    stats = json.loads(run.stdout)
    missing = [key for key in KEYS if key not in stats]
    assert not missing, missing
    small = stats["layers"] <= layers and stats["parameters"] <= parameters
    verdict = "ok" if small else f"too large, at most {layers}, {parameters} allowed"
    print(name, stats["layers"], stats["parameters"], verdict)
