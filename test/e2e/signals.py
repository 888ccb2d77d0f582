"""Interrupts tools at many moments: each file that they write is there whole, or
not at all, and nothing lies beside it.

    signals.py TOOLS FOLDER PROGRAM [MOMENTS]
"""

import os
import shutil
import signal
import subprocess
import sys
import time

tools, folder, program = (os.path.abspath(path) for path in sys.argv[1:4])
moments = int(sys.argv[4]) if len(sys.argv) > 4 else 24
program_name = os.path.splitext(os.path.basename(program))[0]


def tool(name):
    return os.path.join(tools, name)


def content(path):
    found = {}
    for parent, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                found[os.path.relpath(os.path.join(parent, name), path)] = file.read()
    return found


def interrupt(command, number, seconds, whole):
    """What is wrong after a signal at that moment."""
    sent = signal.SIGTERM if number % 2 else signal.SIGINT
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    # Every third run is one that ignores the signal, as jobs in the background
    # do: it must end well.
    is_ignored = number % 3 == 2
    reaction = signal.SIG_IGN if is_ignored else signal.SIG_DFL
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(sent, reaction))
    time.sleep(seconds)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=120)
    problems = []
    if process.returncode not in ((0,) if is_ignored else (0, -sent)):
        problems.append(f"exit code {process.returncode}: {errors.decode()}")
    for name, data in content("out").items():
        if name not in whole:
            problems.append(f"leaves {name}")
        elif data != whole[name]:
            problems.append(f"{name} is not whole")
    if process.returncode == 0 and len(content("out")) != len(whole):
        problems.append("ends well without its files")
    return problems, process.returncode != 0


shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
os.chdir(folder)
subprocess.run([tool("raspc"), program, "-o", "model.h5"], check=True)
with open("list", "w") as file:
    for copy in range(4):
        os.mkdir(f"p{copy}")
        shutil.copy(program, f"p{copy}/q{copy}.rasp")
        file.write(f"p{copy}/q{copy}.rasp\n")
with open("inputs", "w") as file:
    file.write('["a","b","c"]\n' * 200)

commands = {
    "raspc": ["raspc", program, "-o", "out/m.h5"],
    "raspc --certificate": ["raspc", program, "-o", "out/m.h5",
                            "--certificate=out/c.json"],
    "raspc --batch": ["raspc", "--batch=list", "-o", "out"],
    "rasp-run --trace": ["rasp-run", "model.h5", "--inputs=inputs",
                         "--trace=out/t.h5"],
    "rasp-convert to ONNX": ["rasp-convert", "model.h5", "-o", "out/m.onnx"],
    "rasp-convert to NumPy": ["rasp-convert", "model.h5", "-o", "out/m.npz"],
}
failures = stopped = 0
for name, (first, *rest) in commands.items():
    command = [tool(first), *rest]
    os.makedirs("out", exist_ok=True)
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    whole = content("out")
    for number in range(moments):
        problems, was_stopped = interrupt(command, number,
                                          seconds * number / moments, whole)
        stopped += was_stopped
        for problem in problems:
            failures += 1
            print(f"{name}, moment {number}: {problem}")
    shutil.rmtree("out")
print(f"{len(commands) * moments} signals, {stopped} stopped a tool, "
      f"{failures} left something")
# A run on a busy machine may be quicker than the one that was measured.
sys.exit(1 if failures or stopped < len(commands) else 0)
