"""compile_all.py EXAMPLES FOLDER: compiles every example into the folder, once
as it is (NAME.h5) and once with a causal mask (NAME.causal.h5)."""

import pathlib
import subprocess
import sys

examples, folder = map(pathlib.Path, sys.argv[1:])
for program in sorted(examples.glob("*.rasp")):
    for suffix, options in ((".h5", []), (".causal.h5", ["--causal"])):
        model = folder / (program.stem + suffix)
        subprocess.run(["raspc", *options, program, "-o", model], check=True)
