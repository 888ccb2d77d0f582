"""raspc --emit=ir PROGRAM | rasp-opt -  must print the same bytes.

ir_roundtrip.py TOOLS FOLDER...
"""

import concurrent.futures
import glob
import itertools
import os
import subprocess
import sys

tools, folders = sys.argv[1], sys.argv[2:]
programs = sorted(p for f in folders for p in glob.glob(os.path.join(f, "*.rasp")))


def check(case):
    program, options = case
    made = subprocess.run(
        [os.path.join(tools, "raspc"), program, "--emit=ir", *options],
        capture_output=True,
    )
    if made.returncode != 0:
        return program, None
    read = subprocess.run(
        [os.path.join(tools, "rasp-opt"), "-", "--verify-each"],
        input=made.stdout,
        capture_output=True,
    )
    return program, read.returncode == 0 and read.stdout == made.stdout


cases = [
    (program, [*level, *mask, *places])
    for program in programs
    for level, mask, places in itertools.product(
        (["-O0"], ["-O1"]), ([], ["--causal"]), ([], ["--print-locs"])
    )
]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(check, cases))
for (program, options), (_, same) in zip(cases, results):
    if same is False:
        print("differs:", program, *options)
texts = sum(same is not None for _, same in results)
differ = sum(same is False for _, same in results)
seen = {program for program, same in results if same is not None}
print(f"{texts} texts of {len(seen)} programs, {differ} differ")
