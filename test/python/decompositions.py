"""decompositions.py MODEL.h5...

The residual stream in parts, as `rasp-run --trace=FILE --decompose=...` writes it,
against TransformerLens' own functions on the same inputs: equal labels, shapes
and numbers (as in compare_readers.py).
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

import h5py
import torch

here = pathlib.Path(__file__).resolve().parent
sys.path.append(str(here.parents[1] / "examples" / "python"))

from compare_readers import LIMIT, at_least_one, difference
from load_transformer_lens import Codec, load_hooked

DECOMPOSITIONS = {
    "decompose_resid": lambda cache: cache.decompose_resid(return_labels=True),
    "accumulated_resid": lambda cache: cache.accumulated_resid(
        incl_mid=True, return_labels=True
    ),
    "stack_head_results": lambda cache: cache.stack_head_results(return_labels=True),
    "stack_neuron_results": lambda cache: cache.stack_neuron_results(
        -1, return_labels=True
    ),
    "full_resid_decomposition": lambda cache: cache.get_full_resid_decomposition(
        expand_neurons=False, return_labels=True
    ),
    "full_resid_decomposition_neurons": lambda cache: cache.get_full_resid_decomposition(
        expand_neurons=True, return_labels=True
    ),
}


def write_inputs(folder, codec):
    """Two inputs of every length; they run as batches."""
    rng = random.Random(1)
    lines = [
        json.dumps(rng.choices(codec.tokens, k=length)) + "\n"
        for length in range(1, codec.longest + 1)
        for _ in range(2)
    ]
    inputs = folder / "inputs.jsonl"
    inputs.write_text("".join(lines))
    return inputs


def compare(path):
    """The number of tensors compared and the largest difference."""
    model, codec = load_hooked(path), Codec(path)
    worst, count = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = ["rasp-run", path, f"--inputs={write_inputs(folder, codec)}"]
        command += [f"--trace={folder}/trace.h5", "--hooks=hook_embed"]
        command += ["--decompose=" + ",".join(DECOMPOSITIONS)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with h5py.File(folder / "trace.h5") as trace:
            groups = [key for key in trace if key.startswith("length_")]
            assert len(groups) == codec.longest
            for group in groups:
                tokens = torch.from_numpy(trace[group]["tokens"][()])
                _, cache = model.run_with_cache(tokens)
                for key, take in DECOMPOSITIONS.items():
                    parts, labels = take(cache)
                    ours = [*trace["decomposition_labels"][key].asstr()]
                    assert ours == list(labels), (path, key, ours, labels)
                    theirs = parts.numpy()
                    worst = max(
                        worst,
                        difference(trace[group][key][()], theirs, at_least_one(theirs)),
                    )
                    count += 1
    return count, worst, LIMIT[str(model.cfg.dtype).removeprefix("torch.")]


def main(*paths):
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    bad = 0
    for path in map(pathlib.Path, paths):
        count, worst, limit = compare(path)
        bad += worst > limit
        print(f"{path.stem:24} {count} tensors, largest difference {worst:.1e}")
    print(f"{len(paths)} models, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
