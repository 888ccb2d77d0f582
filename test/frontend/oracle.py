"""Runs the corpus of the published interpreter through `rasp --eval`.

    oracle.py [--categories] [--strict] [RASP]

Prints `N of N agree` for all records but those tagged `quirk`, and of these the
programs that we read differently on purpose (frontend/LANGUAGE.md argues each).
Exit code 0 if all agree and no other quirk differs. With --categories it also
lists the errors whose category is another one here; with --strict the runs have
--strict-reference, and only two of the programs may differ.
"""

import collections
import json
import math
import os
import subprocess
import sys
import tempfile

# Program id: why it is read differently.
DELIBERATE = {
    "atom-in-list-of-sops-quirk": "an atom equals no s-op: an error, not True",
    "index-parenthesised-error": "parentheses group, nothing else",
    "index-parenthesised-index-error": "parentheses group, nothing else",
    "index-parenthesised-list-error": "parentheses group, nothing else",
    "shadow-length-then-negative-index": "s[-1] counts from the end, whatever"
    " the variable `length` holds",
    "syntax-aggregate-space-paren": "a space may stand before a parenthesis",
    "syntax-select-space-paren": "a space may stand before a parenthesis",
    "syntax-two-statements-one-line": "statements end with `;`, not with the line",
}

# What --strict-reference reads as the published interpreter does.
STRICT = {
    "index-parenthesised-error",
    "index-parenthesised-index-error",
    "index-parenthesised-list-error",
    "syntax-aggregate-space-paren",
    "syntax-select-space-paren",
    "syntax-two-statements-one-line",
}


def same(ours, theirs):
    """Equal, also in type; floats up to the order of summation."""
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(same(a, b) for a, b in zip(ours, theirs))
        )
    if type(ours) is not type(theirs):
        return False
    if isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return ours == theirs


def agrees(ours, record):
    if record["kind"] == "error" or ours["kind"] == "error":
        return record["kind"] == ours["kind"]
    return (
        ours["kind"] == record["kind"]
        and same(ours["value"], record["value"])
        and (ours["kind"] == "atom" or ours["type"] == record["type"])
    )


def main(arguments):
    show_categories = "--categories" in arguments
    strict = "--strict" in arguments
    arguments = [a for a in arguments if not a.startswith("--")]
    command = [arguments[0] if arguments else "rasp"]
    if strict:
        command.append("--strict-reference")
    expected = set(DELIBERATE) - (STRICT if strict else set())
    corpus = os.path.join(os.path.dirname(__file__), "rasp-oracle.jsonl")
    programs = collections.defaultdict(list)
    with open(corpus, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            programs[record["id"], record["source"], record["result_name"]].append(
                record
            )

    compared = agreed = quirks = same_quirks = errors = same_category = 0
    different = collections.Counter()
    categories = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program.rasp")
        for (name, source, result), records in programs.items():
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(source)
            inputs = "".join(json.dumps(record["input"]) + "\n" for record in records)
            run = subprocess.run(
                command + ["--eval=" + result, "--inputs=-", path],
                input=inputs,
                capture_output=True,
                encoding="utf-8",
            )
            answers = [json.loads(line) for line in run.stdout.splitlines()]
            if len(answers) != len(records) or run.returncode not in (0, 1):
                print(f"{name}: rasp gave {len(answers)} answers and"
                      f" {run.returncode}:\n{run.stderr}")
                return 1
            for ours, record in zip(answers, records):
                good = agrees(ours, record)
                if "quirk" in record["tags"]:
                    quirks += 1
                    same_quirks += good
                    if not good:
                        different[name] += 1
                    continue
                compared += 1
                agreed += good
                if not good:
                    print(f"{name} on {record['input']}: {result} is"
                          f" {record.get('value', 'an error')}, not {ours}")
                if good and record["kind"] == "error":
                    errors += 1
                    same_category += ours["category"] == record["category"]
                    if ours["category"] != record["category"]:
                        pair = record["category"], ours["category"]
                        categories[(*pair, name)] += 1

    print(f"{agreed} of {compared} agree")
    print(f"of {errors} errors, {same_category} are in the same category")
    if show_categories:
        for (theirs, ours, name), count in sorted(categories.items()):
            print(f"  {name}: {theirs} there, {ours} here")
    print(f"of {quirks} records of quirks, {same_quirks} agree; differences:")
    for name in sorted(different):
        print(f"  {name}: {DELIBERATE[name] if name in expected else 'NOT INTENDED'}")
    return 0 if agreed == compared and set(different) == expected else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
