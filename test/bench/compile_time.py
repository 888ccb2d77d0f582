#!/usr/bin/env python3
"""compile_time.py [PROGRAM.rasp ...]: how long raspc takes for each program (by
default all examples), as a whole process: the best and the median of several
runs, and the size of the model. Needs build/bin in PATH."""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

runs = 15
here = pathlib.Path(__file__).resolve()
programs = [pathlib.Path(name) for name in sys.argv[1:]]
if not programs:
    programs = sorted((here.parents[2] / "examples").glob("*.rasp"))
print(f"{'program':20} {'best ms':>8} {'median ms':>10} {'layers':>7} "
      f"{'heads':>6} {'parameters':>11}")
with tempfile.TemporaryDirectory() as folder:
    for program in programs:
        command = ["raspc", program, "-o", f"{folder}/model.h5", "--stats=json"]
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True)
            times.append(1000 * (time.perf_counter() - start))
        shape = json.loads(done.stdout)
        print(f"{program.stem:20} {min(times):8.1f} "
              f"{statistics.median(times):10.1f} {shape['layers']:7} "
              f"{shape['heads']:6} {shape['parameters']:11}", flush=True)
