"""Keeps what tools print in documents as they print it.

A part stands between `<!-- COMMAND -->` and `<!-- end -->`: a block with the
command and its output. The commands of a document run one after the other in an
empty folder, where `examples` is the one of the project, so later ones find what
earlier ones wrote.

generated_docs.py TOOLS FILE...          fails, with a diff, where a part is stale
generated_docs.py --update TOOLS FILE... writes them anew
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile

update = sys.argv[1] == "--update"
tools = os.path.abspath(sys.argv[2 if update else 1])
files = sys.argv[3 if update else 2 :]
examples = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples")


def generate(command, folder):
    tool, *arguments = shlex.split(command)
    done = subprocess.run(
        [os.path.join(tools, tool), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{command}: exit {done.returncode}\n{done.stderr}")
    text = "\n".join(line.rstrip() for line in (done.stdout + done.stderr).splitlines())
    block = f"```console\n$ {command}\n" + (text + "\n" if text else "") + "```"
    return f"<!-- {command} -->\n{block}\n<!-- end -->"


stale = False
for file in files:
    with open(file, encoding="utf-8") as stream:
        old = stream.read()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.realpath(examples), os.path.join(folder, "examples"))
        new, parts = re.subn(
            r"<!-- (rasp[^\n]*?) -->\n.*?<!-- end -->",
            lambda match: generate(match[1], folder),
            old,
            flags=re.S,
        )
    if parts == 0:
        sys.exit(f"{file}: there is no generated part")
    if old == new:
        continue
    if update:
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(new)
        continue
    stale = True
    sys.stdout.writelines(
        difflib.unified_diff(old.splitlines(True), new.splitlines(True), file, "generated")
    )
sys.exit(stale)
