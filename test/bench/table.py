#!/usr/bin/env python3
"""table.py BIN [--runs=N] [--json]: how small the models of BIN/raspc are, how
fast it is, and how that grows, beside limits.json: a peer (Tracr) and targets.

Prints Markdown tables. Compile time is the CPU time of the whole process, which
is what it takes on a machine that has nothing else to do, the best of several
runs; parameters are those of a reader with padded layers. `growth` is
the exponent of the length by which CPU time grew over the last doubling. Of what
the levels make of a program, layers and parameters are told where they differ."""

import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"


def vocabulary(row):
    """The program's own tokens, and as many more as the row asks for."""
    if "vocabulary" not in row:
        return []
    text = (EXAMPLES / (row["program"] + ".rasp")).read_text()
    own = re.search(r"^#@ vocab: (.*)$", text, re.M)[1]
    if own.startswith("["):
        tokens = json.loads(own)
    elif ".." in own:
        first, last = own.split("..")
        tokens = [chr(c) for c in range(ord(first), ord(last) + 1)]
    else:
        tokens = own.split(",")
    tokens += [f"t{i}" for i in range(row["vocabulary"] - len(tokens))]
    return ["--vocab=" + json.dumps(tokens)]


class Compiler:
    def __init__(self, binaries, folder):
        self.raspc = binaries / "raspc"
        self.model = folder / "model.h5"

    def run(self, row, length, level="-O1"):
        """Stats of the model and what the process took."""
        command = [self.raspc, EXAMPLES / (row["program"] + ".rasp"), "-o",
                   self.model, level, f"--max-seq-len={length}", "--stats=json",
                   *vocabulary(row)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"failed: {' '.join(map(str, command))}")
        stats = json.loads(printed)
        stats["cpu"] = usage.ru_utime + usage.ru_stime
        stats["megabytes"] = usage.ru_maxrss / 1024
        stats["file_bytes"] = self.model.stat().st_size
        return stats

    def best(self, row, length, runs):
        return min((self.run(row, length) for _ in range(runs)),
                   key=lambda stats: stats["cpu"])


def measure_size(compiler, row, limits, runs):
    stats = compiler.best(row, row.get("length", limits["length"]), runs)
    own = {key: stats[key] for key in
           ("layers", "heads", "d_head", "d_mlp", "d_model", "parameters",
            "parameters_ragged", "nonzeros", "file_bytes")}
    own["ms"] = round(1000 * stats["cpu"], 2)
    own["levels"] = {"-O1": stats}
    for level in ("-O0", "-Os"):
        own["levels"][level] = compiler.run(
            row, row.get("length", limits["length"]), level)
    own["levels"] = {
        level: {key: stats[key] for key in ("layers", "heads", "parameters")}
        for level, stats in own["levels"].items()}
    return dict(row, own=own)


def measure_scale(compiler, row, runs):
    half = compiler.best(row, row["length"] // 2, runs)
    stats = compiler.best(row, row["length"], runs)
    own = {key: stats[key] for key in
           ("parameters", "nonzeros", "file_bytes", "cpu", "megabytes")}
    own["growth"] = math.log2(stats["cpu"] / half["cpu"])
    return dict(row, own=own)


def measure_bulk(compiler, row, runs):
    """Many programs in one process: CPU time, so that it is that of one core."""
    with tempfile.TemporaryDirectory() as folder:
        programs = []
        for copy in range(row["copies"]):
            for name in row["programs"]:
                programs.append(pathlib.Path(folder) / f"{name}_{copy}.rasp")
                text = (EXAMPLES / (name + ".rasp")).read_text()
                programs[-1].write_text(text)
        listed = pathlib.Path(folder) / "list"
        listed.write_text("".join(f"{program}\n" for program in programs))
        command = [compiler.raspc, f"--batch={listed}", "-o", f"{folder}/models"]
        seconds = []
        for _ in range(runs):
            process = subprocess.Popen(command)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"failed: {' '.join(map(str, command))}")
            seconds.append(usage.ru_utime + usage.ru_stime)
    return dict(row, own={"models": len(programs),
                          "per_second": round(len(programs) / min(seconds))})


def count(number):
    if number is None:
        return "–"
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


def duration(ms):
    if ms is None:
        return "–"
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"


def shape(figures):
    return f"{figures.get('layers', '–')} / {figures.get('heads', '–')}"


def three(row, fmt, key):
    """Ours, the target and the peer's."""
    return [fmt(row[who].get(key)) if who in row else "–"
            for who in ("own", "target", "peer")]


def sizes_table(rows):
    yield ["program", "vocabulary", "layers / heads", "target", "peer",
           "parameters", "target", "peer", "ragged", "non-zero",
           "compile", "target", "peer"]
    for row in rows:
        yield [row["program"], str(row.get("vocabulary", "own")),
               *(shape(row.get(who, {})) for who in ("own", "target", "peer")),
               *three(row, count, "parameters"),
               count(row["own"]["parameters_ragged"]),
               count(row["own"]["nonzeros"]), *three(row, duration, "ms")]


def levels_table(rows):
    yield ["program", "`-O0`", "`-O1`", "`-Os`"]
    for row in rows:
        cells = [f"{own['layers']}, {count(own['parameters'])}" for own in
                 (row["own"]["levels"][level] for level in ("-O0", "-O1", "-Os"))]
        if len(set(cells)) > 1:
            yield [row["program"], *cells]


def scale_table(rows):
    yield ["program", "length", "vocabulary", "compile", "growth", "memory",
           "file", "parameters", "non-zero"]
    for row in rows:
        own = row["own"]
        yield [row["program"], f"{row['length']:,}",
               str(row.get("vocabulary", "own")),
               duration(1000 * own["cpu"]), f"{own['growth']:.1f}",
               f"{own['megabytes']:.0f} MB", f"{own['file_bytes'] / 1e3:.0f} kB",
               count(own["parameters"]), count(own["nonzeros"])]


def markdown(table):
    head, *rows = table
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", type=pathlib.Path, metavar="BIN")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    limits = json.loads((HERE / "limits.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(options.binaries, pathlib.Path(folder))
        sizes = [measure_size(compiler, row, limits, options.runs)
                 for row in limits["programs"]]
        scale = [measure_scale(compiler, row, min(options.runs, 3))
                 for row in limits["scale"]]
        bulk = measure_bulk(compiler, limits["bulk"], min(options.runs, 3))
    if options.json:
        json.dump(dict(limits, programs=sizes, scale=scale, bulk=bulk),
                  sys.stdout, indent=1)
        print()
        return
    markdown(sizes_table(sizes))
    print()
    markdown(levels_table(sizes))
    print()
    markdown(scale_table(scale))
    print(f"\n{bulk['own']['models']} small programs in one process: "
          f"{bulk['own']['per_second']} per second and core "
          f"(target {bulk['target_per_second']})")


if __name__ == "__main__":
    main()
