"""compile_all.py EXAMPLES FOLDER: compiles every example into the folder.

Where a program compiles with a causal mask too, that model goes beside it.
"""

import pathlib
import subprocess
import sys

examples, folder = map(pathlib.Path, sys.argv[1:])
for program in sorted(examples.glob("*.rasp")):
    model = folder / (program.stem + ".h5")
    subprocess.run(["raspc", program, "-o", model], check=True)
    if "--causal" in program.read_text():
        model = folder / (program.stem + ".causal.h5")
        subprocess.run(["raspc", "--causal", program, "-o", model], check=True)
