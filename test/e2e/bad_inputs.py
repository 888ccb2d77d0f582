"""Runs a table of bad inputs: each must end with its exit code and its message,
quickly, without a crash, and leave no file that was not there before.

    bad_inputs.py TOOLS FOLDER TABLE...            # in FOLDER, which is emptied
    bad_inputs.py TOOLS FOLDER TABLE --print=NAME  # what cases of that name say
    bad_inputs.py TOOLS FOLDER TABLE --sanitized   # tools that sanitizers watch

A case of the table:

    === what is wrong
    run: raspc p.rasp --vocab=a,b
    exit: 1
    says: p.rasp:1:5: error: unknown name `y` [UnknownName]
    --- p.rasp
    x = y;

`run` is a line for the shell. All of `says`, of which there may be several lines,
must be in what the command prints to stderr; `...` stands for anything within a
line. `needs` names a Python module without which the case is left out, or is
`max-memory`, which AddressSanitizer cannot live with. Files are
written as they stand; `--- name (python)` has an expression for the bytes
instead, in which `model` is a good model file, that of examples/reverse.rasp,
which is also there as `model.h5`, and `edited(attribute, value)` that file with
another attribute. A line that begins with `# ----` ends a file.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

CRASHES = ("Stack dump", "PLEASE submit", "terminate called", "Sanitizer",
           "runtime error", "LLVM ERROR", "Assertion")
SECONDS = 120


class Case:
    def __init__(self, name):
        self.name = name
        self.run = ""
        self.exit = None
        self.says = []
        self.needs = []
        self.files = []  # (name, is an expression, text)


def read_cases(path):
    cases, file = [], None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("=== "):
                cases.append(Case(line[4:].strip()))
                file = None
            elif line.startswith("--- "):
                name = line[4:].strip()
                is_expression = name.endswith(" (python)")
                file = [name.removesuffix(" (python)"), is_expression, ""]
                cases[-1].files.append(file)
            elif line.startswith("# ---- "):
                file = None
            elif file is not None:
                file[2] += line
            elif line.strip() and not line.startswith("#"):
                key, _, value = line.strip().partition(": ")
                if key == "run":
                    cases[-1].run = value
                elif key == "exit":
                    cases[-1].exit = int(value)
                elif key in ("says", "needs"):
                    getattr(cases[-1], key).append(value)
                else:
                    sys.exit(f"{path}:{number}: unknown key {key!r}")
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            sys.exit(f"{path}: {name!r} is there twice")
    return cases


def edited(model, attribute, value):
    """`model` with another value of an attribute of its root."""
    import h5py

    path = "edited.tmp"
    with open(path, "wb") as file:
        file.write(model)
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        file.attrs[attribute] = value
    with open(path, "rb") as file:
        data = file.read()
    os.remove(path)
    return data


def write_files(case, folder, model):
    with open(os.path.join(folder, "model.h5"), "wb") as file:
        file.write(model)
    scope = {"model": model,
             "edited": lambda name, value: edited(model, name, value)}
    for name, is_expression, text in case.files:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = eval(text.strip(), scope) if is_expression else text.encode()
        with open(path, "wb") as file:
            file.write(data)


def snapshot(folder):
    content = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                content[os.path.relpath(path, folder)] = file.read()
    return content


def matches(expected, text):
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.search(pattern, text) is not None


def run_case(case, folder, model, environment):
    """What the command printed, and what is wrong with that."""
    write_files(case, folder, model)
    before = snapshot(folder)
    try:
        done = subprocess.run(["sh", "-c", case.run], cwd=folder,
                              env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "", [f"takes more than {SECONDS} seconds"]
    text = done.stderr.decode("utf-8", "replace")
    problems = []
    if done.returncode != case.exit:
        problems.append(f"exit code {done.returncode}, not {case.exit}")
    problems += [f"does not say: {expected}" for expected in case.says
                 if not matches(expected, text)]
    if not case.says:
        problems.append("the table does not say what is said")
    problems += [f"crashes: {word}" for word in CRASHES if word in text]
    for path, data in snapshot(folder).items():
        if before.get(path) != data:
            problems.append(f"leaves {path}")
    return text, problems


def main():
    shown = [argument[8:] for argument in sys.argv if argument.startswith("--print=")]
    tools, folder, *tables = [argument for argument in sys.argv[1:]
                              if not argument.startswith("--")]
    is_missing = lambda name: ("--sanitized" in sys.argv if name == "max-memory"
                               else importlib.util.find_spec(name) is None)
    here = os.path.dirname(os.path.abspath(__file__))
    tools = os.path.abspath(tools)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tables = [os.path.abspath(table) for table in tables]
    os.chdir(folder)
    reverse = os.path.join(here, "..", "..", "examples", "reverse.rasp")
    subprocess.run([os.path.join(tools, "raspc"), reverse, "-o", "model.h5"],
                   check=True)
    with open("model.h5", "rb") as file:
        model = file.read()
    environment = dict(os.environ, PATH=tools + os.pathsep + os.environ["PATH"])
    cases = [case for table in tables for case in read_cases(table)]
    failures = left_out = 0
    for number, case in enumerate(cases):
        if shown and not any(part in case.name for part in shown):
            continue
        if any(map(is_missing, case.needs)):
            left_out += 1
            continue
        own = os.path.join(os.getcwd(), f"case{number}")
        os.makedirs(own)
        text, problems = run_case(case, own, model, environment)
        shutil.rmtree(own)
        if shown:
            print(f"=== {case.name}\n$ {case.run}\n{text}")
        for problem in problems:
            print(f"{case.name}: {problem}")
        if problems and not shown:
            print(text)
        failures += bool(problems)
    print(f"{len(cases)} bad inputs, {left_out} left out, {failures} not as expected")
    sys.exit(1 if failures else 0)


main()
