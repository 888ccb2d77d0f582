"""shapes.py EXAMPLES WORKDIR: the layers of some examples."""

import json
import pathlib
import subprocess
import sys

MOST_LAYERS = {"reverse": 2, "hist": 1, "frac_prevs": 1}
KEYS = """layers heads d_head d_mlp d_model parameters parameters_ragged
          nonzeros seconds""".split()

examples, workdir = map(pathlib.Path, sys.argv[1:])
for name, most in MOST_LAYERS.items():
    command = ["raspc", examples / (name + ".rasp"), "--max-seq-len=5"]
    command += ["--stats=json", "-o", workdir / (name + ".h5")]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    stats = json.loads(run.stdout)
    missing = [key for key in KEYS if key not in stats]
    assert not missing, missing
    verdict = "ok" if stats["layers"] <= most else f"too deep, at most {most} allowed"
    print(name, stats["layers"], "layers", verdict)
