#!/usr/bin/env python3
"""runtime.py BUILD [--seconds=S] [--json] [PROGRAM...]: how fast models run, beside
TransformerLens on the same machine.

Compiles the examples (or some) with BUILD/bin/raspc and measures how many sequences
of the greatest length, from ids to logits, one processor runs in a second: one at a
time, and 1,024 at a time. It is the processor's time, so that other work on the
machine matters little. TransformerLens, as a TransformerBridge and as a
HookedTransformer, is that of BUILD/python (test/python/environment.sh makes it). Last,
rasp-verify, on all processors, which runs every sequence through the interpreter as
well. Prints Markdown tables. A figure is the median of three rounds, in which the
programs take turns."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
ROUNDS = 3
# What is aimed at: times as many sequences as the faster of the other two.
TARGETS = {"1": 100, "1024": 10}
VERIFY_TARGET, VERIFY_SAMPLES = 300_000, 3_000_000


def output(command, **environment):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout


def measure_ours(build, seconds, models):
    report = json.loads(
        output(
            [
                build / "bin" / "rasp-bench-runtime",
                "--benchmark_format=json",
                f"--benchmark_min_time={seconds}",
                *models,
            ]
        )
    )
    rates = {model.stem: {} for model in models}
    for entry in report["benchmarks"]:
        name, batch = entry["name"].split("/")[:2]
        rates[name][batch] = entry["items_per_second"]
    return rates


def measure_lens(build, seconds, models, kind):
    python = build / "python"
    path = str(python / "hooked") if kind == "hooked" else ""
    return json.loads(
        output(
            [python / "bin" / "python", HERE / "lens_speed.py", kind, str(seconds), *models],
            PYTHONPATH=path,
        )
    )


def measure_verify(build, folder):
    """Sequences per second of the whole process."""
    model = folder / "verified.h5"
    options = ["--vocab=a,b,c", "--max-seq-len=5"]
    subprocess.run([build / "bin" / "raspc", EXAMPLES / "reverse.rasp", "-o", model, *options],
                   check=True)
    start = time.perf_counter()
    output([build / "bin" / "rasp-verify", model, f"--samples={VERIFY_SAMPLES}"])
    return VERIFY_SAMPLES / (time.perf_counter() - start)


def compile_models(build, folder, programs):
    models = []
    for program in programs:
        models.append(folder / f"{program.stem}.h5")
        subprocess.run([build / "bin" / "raspc", program, "-o", models[-1]], check=True)
    return models


def measure(build, seconds, programs):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        models = compile_models(build, folder, programs)
        rounds = [
            {
                "raspc": measure_ours(build, seconds, models),
                "bridge": measure_lens(build, seconds, models, "bridge"),
                "hooked": measure_lens(build, seconds, models, "hooked"),
                "verify": measure_verify(build, folder),
            }
            for _ in range(ROUNDS)
        ]
    rows = []
    for model in models:
        row = {"program": model.stem}
        for batch in TARGETS:
            rates = {
                who: statistics.median(one[who][model.stem][batch] for one in rounds)
                for who in ("raspc", "bridge", "hooked")
            }
            rates["ratio"] = rates["raspc"] / max(rates["bridge"], rates["hooked"])
            row[batch] = rates
        rows.append(row)
    verify = statistics.median(one["verify"] for one in rounds)
    return {"targets": TARGETS, "rows": rows, "verify": verify}


def table(result):
    print("Sequences per second and processor; TransformerLens: the faster of its two models.\n")
    heads = ("raspc", "TransformerLens", "ratio")
    print("| program | " + " | ".join(f"{h}, {b}" for b in TARGETS for h in heads) + " |")
    print("|---|" + "---:|" * 6)
    for row in result["rows"]:
        cells = []
        for batch in TARGETS:
            rates = row[batch]
            cells += [f"{rates['raspc']:,.0f}", f"{max(rates['bridge'], rates['hooked']):,.0f}"]
            cells.append(f"{rates['ratio']:.0f}x")
        print(f"| {row['program']} | " + " | ".join(cells) + " |")
    print()
    for batch, target in TARGETS.items():
        ratios = {row["program"]: row[batch]["ratio"] for row in result["rows"]}
        least = min(ratios, key=ratios.get)
        print(
            f"batch {batch}: at least {ratios[least]:.0f}x ({least}), median "
            f"{statistics.median(ratios.values()):.0f}x; target {target}x"
        )
    print(f"rasp-verify: {result['verify']:,.0f} per second; target {VERIFY_TARGET:,}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="examples, by name")
    parser.add_argument("--seconds", type=float, default=0.3, help="per figure and round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_intermixed_args()
    build = options.build.resolve()
    if not (build / "python" / "made-from").exists():
        sys.exit(f"{build}/python is missing: test/python/environment.sh {build}/python")
    subprocess.run(["cmake", "--build", build, "--target", "rasp-bench-runtime", "raspc",
                    "rasp-verify"], check=True, stdout=subprocess.DEVNULL)
    programs = [EXAMPLES / f"{name}.rasp" for name in options.programs]
    result = measure(build, options.seconds, programs or sorted(EXAMPLES.glob("*.rasp")))
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        table(result)


if __name__ == "__main__":
    main()
