"""Runs the examples of the language reference.

    language.py [--update] FOLDER [RASP]

FOLDER is that of frontend/. In LANGUAGE.md, blocks of `rasp` are programs; a
comment behind a statement says what it gives on the input, "hello" unless the
block begins with `# input: JSON`. Blocks of `console` are commands, and sessions
with the shell. Prints how many results are as the document says, and those that
are not; exit code 0 if all are and the examples use every name that is built in.
With --update, writes what comes out into the document instead.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

RESULT = re.compile(r"^(?P<code>\s*[^\s#].*?[;}])(?P<gap>\s+)# (?P<result>.*)$")
ASSIGNMENT = re.compile(r"^\s*(\w+(?:\s*,\s*\w+)*)\s*=[^=]")
STATEMENT = re.compile(r"^\s*(def|for|load|draw)\b|[}]\s*$")


def show(value):
    """As the document writes it: Python's way, strings in double quotes, floats
    to three digits behind the point."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return repr(round(value, 3))
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def show_answer(answer):
    kind, value = answer["kind"], answer.get("value")
    if kind == "error":
        return "error: " + answer["message"]
    if kind == "selector":
        return " ".join("".join(map(str, row)) for row in value)
    if kind == "dict":
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in value) + "}"
    return value if kind == "function" else show(value)


def plain(text):
    """Without the blanks that nobody sees."""
    lines = [line.expandtabs(4).rstrip() for line in text.split("\n")]
    return "\n".join(lines).rstrip("\n")


class Examples:
    def __init__(self, rasp, folder):
        self.rasp, self.folder = rasp, folder
        self.results = self.wrong = 0
        self.text = []  # of the document, as it should be

    def differs(self, line, expected, found):
        self.results += 1
        if expected != found:
            self.wrong += 1
            print(f"LANGUAGE.md:{line}: `{expected}` should be `{found}`")

    def evaluate(self, program, expression, given):
        path = os.path.join(self.folder, "program.rasp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        run = subprocess.run(
            [self.rasp, "--eval=" + expression, "--input=" + given, path],
            capture_output=True, encoding="utf-8", cwd=self.folder)
        if run.returncode not in (0, 1) or not run.stdout:
            sys.exit(f"{run.args} ended with {run.returncode}: {run.stderr}")
        return json.loads(run.stdout)

    def run_program(self, lines, start):
        """A block of statements. Wrong ones have no effect on those below."""
        given, program, pending = '"hello"', "", ""
        for number, line in enumerate(lines, start):
            if line.startswith("# input: "):
                given = line[len("# input: "):]
            match = RESULT.match(line)
            if not match:
                pending += line + "\n"
                self.text.append(line)
                continue
            code, expected = match["code"], match["result"]
            assigned = ASSIGNMENT.match(code)
            if assigned:
                program_here = program + pending + code + "\n"
                names = assigned[1]
                expression = f"[{names}]" if "," in names else names
                # Where the statement fails, any expression tells why.
                if self.evaluate(program_here, "0", given)["kind"] == "error":
                    expression = "0"
            elif STATEMENT.search(code):
                program_here, expression = program + pending + code + "\n", "0"
            else:
                program_here, expression = program + pending, code.rstrip("; ")
            answer = self.evaluate(program_here, expression, given)
            found = show_answer(answer)
            self.differs(number, expected, found)
            if answer["kind"] != "error":
                program += pending + code + "\n"
            pending = ""
            self.text.append(f"{code}{match['gap']}# {found}")
        if pending.strip() and self.evaluate(program + pending, "0", given)["kind"] == "error":
            self.differs(start, "a program without errors", "one with errors")

    def run_commands(self, lines, start):
        """A block of shell commands and what they print."""
        commands = []
        for number, line in enumerate(lines, start):
            if line.startswith("$ "):
                commands.append((number, line[2:], [], []))
            elif line.startswith((">> ", ".. ")):
                commands[-1][2].append(line[3:])
            else:
                commands[-1][3].append(line)
        for number, command, typed, expected in commands:
            run = subprocess.run(
                command + (" --quiet" if typed else ""), shell=True, cwd=self.folder,
                input="\n".join(typed), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, encoding="utf-8")
            self.differs(number, plain("\n".join(expected)), plain(run.stdout))
        self.text += lines


def built_in_names(folder):
    """What the frontend's sources define."""
    def read(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    library = read("Library.rasp")
    names = set(re.findall(r"^def (\w+)\(", library, re.M))
    names |= set(re.findall(r"^(\w+) =", library, re.M))
    names |= set(re.findall(r'addNative\(base, "(\w+)"', read("Evaluator.cpp")))
    table = re.search(r"constantNames\[\] = \{(.*?)\}", read("Library.h"), re.S)
    names |= set(re.findall(r'"(\w+)"', table[1]))
    return {name for name in names if not name.startswith("_")} | {"tokens"}


def keywords(folder):
    path = os.path.join(folder, os.pardir, "grammar", "RASP.g4")
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"'([a-z]+)'", file.read()))


def main(arguments):
    update = "--update" in arguments
    arguments = [a for a in arguments if not a.startswith("--")]
    folder, rasp = arguments[0], (arguments + ["rasp"])[1]
    path = os.path.join(folder, "LANGUAGE.md")
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")

    programs, prose = [], []
    with tempfile.TemporaryDirectory() as temporary:
        examples = Examples(rasp, temporary)
        i = 0
        while i < len(lines):
            fence = lines[i]
            examples.text.append(fence)
            i += 1
            if not fence.startswith("```"):
                prose.append(fence)
                continue
            end = lines.index("```", i)
            block = lines[i:end]
            if fence == "```rasp":
                programs += block
                examples.run_program(block, i + 1)
            elif fence == "```console":
                examples.run_commands(block, i + 1)
            else:
                examples.text += block
            examples.text.append("```")
            i = end + 1

    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(examples.text))
    code = "\n".join(line for line in programs if not line.startswith("#"))
    used = set(re.findall(r"\w+", re.sub(r'"[^"\n]*"|#.*', "", code)))
    missing = sorted(built_in_names(folder) - used)
    if missing:
        print("no example uses", ", ".join(missing))
    quoted = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", "\n".join(prose)))))
    unsaid = sorted(keywords(folder) - quoted)
    if unsaid:
        print("nothing is said about", ", ".join(unsaid))
    right = examples.results - examples.wrong
    print(f"{right} of {examples.results} results are as the reference says")
    return 1 if examples.wrong or missing or unsaid else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
