"""compile_all.py PROGRAMS FOLDER [OPTION...]: compiles every program of a folder
into the other, once as it is (NAME.h5) and once with a causal mask
(NAME.causal.h5), both with the options for raspc."""

import pathlib
import subprocess
import sys

programs, folder = map(pathlib.Path, sys.argv[1:3])
for program in sorted(programs.glob("*.rasp")):
    for suffix, options in ((".h5", []), (".causal.h5", ["--causal"])):
        model = folder / (program.stem + suffix)
        command = ["raspc", *sys.argv[3:], *options, program, "-o", model]
        subprocess.run(command, check=True)
