"""compile_time.py EXAMPLES FOLDER SECONDS: no example may take longer than
this to compile, the whole process counted. The best of several runs counts,
since other work on the machine only ever adds."""

import pathlib
import subprocess
import sys
import time

examples, folder = map(pathlib.Path, sys.argv[1:3])
limit = float(sys.argv[3])
for program in sorted(examples.glob("*.rasp")):
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(["raspc", program, "-o", folder / "model.h5"], check=True)
        best = min(best, time.perf_counter() - start)
        if best < limit:
            break
    print(f"{program.stem} {best:.3f} s", "ok" if best < limit else "too slow")
