"""Runs tools under ever larger limits of memory: each run ends well, or with one
sentence, exit code 1 and no file.

    memory.py TOOLS FOLDER PROGRAM [STEPS]
"""

import os
import shutil
import subprocess
import sys

tools, folder, program = (os.path.abspath(path) for path in sys.argv[1:4])
steps = int(sys.argv[4]) if len(sys.argv) > 4 else 16


def run(command, size):
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    tool, *rest = command
    limit = [f"--max-memory={size}K"] if size else []
    return subprocess.run([os.path.join(tools, tool), *rest, *limit],
                          capture_output=True, timeout=300)


def problems_of(command, size, expected):
    """What is wrong with a run, and whether it ended well."""
    done = run(command, size)
    errors = done.stderr.decode("utf-8", "replace")
    files = os.listdir("out")
    if done.returncode == 0:
        wrong = [] if files == expected else [f"writes {files}"]
        return wrong, True
    wanted = (f"{command[0]}: error: this needs more memory than "
              f"--max-memory={size}K allows\n")
    wrong = [f"leaves {name}" for name in files]
    if done.returncode != 1:
        wrong.append(f"exit code {done.returncode}")
    if errors != wanted:
        wrong.append(f"says: {errors}")
    return wrong, False


shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
os.chdir(folder)
subprocess.run([os.path.join(tools, "raspc"), program, "-o", "model.h5"], check=True)
commands = [
    (["raspc", program, "-o", "out/m.h5"], ["m.h5"]),
    (["raspc", program, "-Os", "-o", "out/m.h5"], ["m.h5"]),
    (["rasp-run", "model.h5", "abc", "--trace=out/t.h5"], ["t.h5"]),
    (["rasp-verify", "model.h5", "--samples=100"], []),
    (["rasp-verify", "model.h5", "--check-certificate"], []),
    (["rasp-convert", "model.h5", "-o", "out/m.onnx"], ["m.onnx"]),
    (["rasp-convert", "model.h5", "-o", "out/m.safetensors"], ["m.safetensors"]),
    (["rasp-convert", "model.h5", "-o", "out/m.npz"], ["m.npz"]),
    (["rasp", "--eval=sort(tokens, tokens)", "--input=abc"], []),
]
failures = refused = answered = 0
for command, expected in commands:
    for step in range(steps):
        # From 100 kB to 100 MB in equal factors.
        size = int(100 * 1000 ** (step / (steps - 1)))
        wrong, good = problems_of(command, size, expected)
        answered += good
        refused += not good
        for problem in wrong:
            failures += 1
            print(f"{' '.join(command)}, {size} kB: {problem}")
        if good and step + 1 < steps:
            # All that is larger does as well; the largest is tried.
            wrong, good = problems_of(command, 100000, expected)
            failures += len(wrong) + (not good)
            break
print(f"{refused} refused, {answered} answered, {failures} not as expected")
sys.exit(1 if failures or answered < len(commands) or refused < len(commands) else 0)
