"""dump_edited.py REVERSE.h5 HIST.h5: rasp-dump finds one edit in a model, where
it was made, whatever it is. Prints how many were tried."""

import pathlib
import shutil
import subprocess
import sys

reverse, hist = sys.argv[1:]
EDITOR = pathlib.Path(__file__).parent / "edit_model.py"

# What is edited, and what must be said to be wrong.
EDITS = [
    (reverse, "weight blocks.1.attn.W_Q 0,11,0 768", "head 1.0: "),
    (reverse, "weight blocks.1.attn.b_Q 0,0 0", "head 1.0: "),
    (reverse, "weight blocks.1.attn.W_K 0,9,1 0.5", "head 1.0: "),
    (reverse, "weight blocks.1.attn.W_V 0,3,3 1", "`reverse:l`: of a key with h it moves 1"),
    (reverse, "weight blocks.1.attn.W_O 0,0,12 0.5", "`reverse:d`: of a key with d it moves 0.5"),
    (reverse, "weight blocks.1.attn.W_O 0,2,14 0", "it moves nothing into `reverse:h`"),
    (reverse, "weight blocks.0.attn.W_Q 0,0,0 100", "head 0.0: "),
    (reverse, "weight blocks.0.mlp.W_in 10,1 -5.9", "`length`: where `length` is 2 it holds 1.03"),
    (reverse, "weight blocks.0.mlp.b_in 2 2.1", "`length`: where `length` is 3 it holds 2.1"),
    (reverse, "weight blocks.0.mlp.W_out 3,11 0", "`length`: where `length` is 5 "),
    (reverse, "weight blocks.0.mlp.b_out 11 0.1", "`length`: layer 0 adds 0.1"),
    (reverse, "weight embed.W_E 2,4 1", "`tokens:l`: where `tokens` is h it holds 1"),
    (reverse, "weight pos_embed.W_pos 2,9 5", "`indices:^2`: where `indices` is 1 it holds 5"),
    (reverse, "weight unembed.W_U 13,1 0", "output: "),
    (reverse, "labels tokens:d tokens:e", "`tokens:d`: it is there for `e`"),
    (reverse, "names length indices", "one of its labels is `indices`"),
    (hist, "weight blocks.0.attn.W_Q 0,1,0 100", "head 0.0: a query with tokens = b does not "),
]

for model, edit, expected in EDITS:
    shutil.copy(model, "try.h5")
    subprocess.run([sys.executable, EDITOR, "try.h5", *edit.split()], check=True)
    result = subprocess.run(["rasp-dump", "try.h5"], capture_output=True, text=True)
    assert result.returncode == 1, (edit, result.returncode)
    assert expected in result.stderr, (edit, result.stderr)
    assert "not as labelled" in result.stdout.splitlines()[-1], edit
print(len(EDITS), "edits, all found")
