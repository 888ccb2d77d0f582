"""Every message of ir/Diagnostics.def can be emitted, is provoked by a test, and,
if it is a warning, stands in the table of ir/README.md.

    diagnostics.py ROOT

Provoked is a message whose name a test expects: `[Name]` in a line of CHECKs or
in the table of bad inputs, or the name in a string of a unit test.
"""

import os
import re
import sys

root = sys.argv[1]


def files(folder, endings):
    for parent, folders, names in os.walk(os.path.join(root, folder)):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")))
        for name in sorted(names):
            if name.endswith(endings):
                path = os.path.join(parent, name)
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield path, file.read()


def read(path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


declared = re.findall(r"^DIAG(?:_ON_REQUEST)?\((\w+), (\w+),",
                      read("ir/Diagnostics.def"), re.M)
names = [name for name, _ in declared]

emitted = set()
for folder in ("frontend", "ir", "backend", "runtime"):
    for path, text in files(folder, (".cpp", ".h")):
        emitted.update(re.findall(r"\bdiag::(\w+)", text))

expected = set()
in_brackets = re.compile(r"\[(\w+)(?:,-Werror)?\\?\]")
check = re.compile(r"^\W*[A-Z][A-Z0-9_-]*(?:-[A-Z]+)?:|^says: ")
for folder in ("test", "examples"):
    for path, text in files(folder, (".rasp", ".test", ".rir", ".circuit", ".txt")):
        for line in text.splitlines():
            if check.match(line):
                expected.update(in_brackets.findall(line))
for path, text in files("test/unit", (".cpp",)):
    expected.update(re.findall(r'"(\w+)"', text))
    expected.update(in_brackets.findall(text))

readme = read("ir/README.md")
lists = [
    ("declared twice", [n for i, n in enumerate(names) if n in names[:i]]),
    ("emitted nowhere", [n for n in names if n not in emitted]),
    ("expected by no test", [n for n in names if n not in expected]),
    ("a warning that ir/README.md does not list",
     [n for n, severity in declared if severity == "Warning"
      and f"`{n}`" not in readme]),
    ("a remark that backend/README.md does not list",
     [n for n, severity in declared if severity == "Remark"
      and f"`{n}`" not in read("backend/README.md")]),
]
bad = False
for what, found in lists:
    for name in found:
        bad = True
        print(f"{name}: {what}")
print(f"{len(names)} kinds of messages")
sys.exit(bad)
