"""readme.py [--lens] FOLDER FILE.md...: what a README shows is what really comes out.

Runs the commands of the ```console blocks of each file, with FOLDER as the
working directory, and compares their output; then the ```pycon blocks, as
doctests. A line `...` stands for any number of lines, times may differ, and
scripts of the project (`./check.sh`) are not run. Python sessions that want
TransformerLens are left out, or with --lens the only ones.
"""

import doctest
import os
import pathlib
import re
import subprocess
import sys


def normal(text):
    text = re.sub(r"\d+\.\d+ ms", "TIME", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def matches(expected, actual):
    pattern = "\n".join(map(re.escape, expected)).replace(re.escape("..."), r"(.*\n)*.*")
    return re.fullmatch(pattern, "\n".join(actual)) is not None


def check_console(block):
    """The number of commands whose output is not as shown."""
    wrong = 0
    for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = session.partition("\n")
        command = command.partition("  #")[0].strip()
        if command.startswith(("./", "cmake", "export")):
            continue
        run = subprocess.run(
            command, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if run.returncode != 0 or (
            shown.strip() and not matches(normal(shown), normal(run.stdout))
        ):
            wrong += 1
            print(f"$ {command}   (exit code {run.returncode})\n{run.stdout}")
    return wrong


def check_python(block):
    example = doctest.DocTestParser().get_doctest(block, {}, "README", None, None)
    return doctest.DocTestRunner().run(example).failed


arguments = sys.argv[1:]
lens = arguments[0] == "--lens"
if lens:
    del arguments[0]
files = [pathlib.Path(name).resolve() for name in arguments[1:]]
os.chdir(arguments[0])
failures = 0
for file in files:
    text = file.read_text()
    blocks = re.findall(r"^```(console|pycon)\n(.*?)^```", text, re.M | re.S)
    for language, block in blocks:
        if language == "console":
            failures += check_console(block)
        elif lens == ("load_transformer_lens" in block):
            failures += check_python(block)
sys.exit(failures > 0)
