"""compare_readers.py hooked|bridge|onnx MODEL.h5...

Has other people's programs run models, and compares them with raspc's runtime:
logits of the file's examples, decoded outputs of these and of random inputs of
every length. The programs are TransformerLens, by the loader of examples/python,
with a HookedTransformer or a TransformerBridge; and onnxruntime, by
rasp-convert. Prints a table.

Numbers are compared as |a - b| / max(1, |a|, |b|): absolutely where they are
small, as most directions of the residual stream and logits are, relatively where
they are large, as scores are. Infinities must be equal.
"""

import pathlib
import random
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import onnx
import onnxruntime
import torch

here = pathlib.Path(__file__).resolve().parent
sys.path += [str(here.parents[1] / "examples" / "python"), str(here.parent / "support")]

import models
from load_transformer_lens import Codec, load_bridge, load_hooked

LIMIT = {"float32": 1e-5, "float64": 1e-12}
INPUTS_PER_LENGTH = 3


def load_onnx(path):
    with tempfile.TemporaryDirectory() as folder:
        graph = pathlib.Path(folder, "model.onnx")
        subprocess.run(["rasp-convert", path, "-o", graph], check=True)
        onnx.checker.check_model(onnx.load(graph), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(graph, options)
    return lambda ids: torch.from_numpy(session.run(["logits"], {"tokens": ids.numpy()})[0])


LOADERS = {"hooked": load_hooked, "bridge": load_bridge, "onnx": load_onnx}


def difference(ours, theirs):
    """The largest difference of two arrays, as a share of what is large."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
    assert not np.isnan(ours).any() and not np.isnan(theirs).any()
    finite = np.isfinite(ours)
    if not np.array_equal(ours[~finite], theirs[~finite]):
        return np.inf
    a, b = ours[finite].astype(np.float64), theirs[finite].astype(np.float64)
    scale = np.maximum(1, np.maximum(abs(a), abs(b)))
    return float((abs(a - b) / scale).max(initial=0))


def some_inputs(path, codec):
    rng = random.Random(path.name)
    for length in range(1, codec.longest + 1):
        for _ in range(INPUTS_PER_LENGTH):
            yield rng.choices(codec.tokens, k=length)


def compare(path, load):
    """Type of numbers, kind of output, number of inputs, largest difference."""
    model, codec = load(path), Codec(path)
    with h5py.File(path) as file:
        tokens, lengths, logits = (
            file[f"examples/{name}"][()] for name in ("tokens", "length", "logits")
        )
    worst, answers = 0, []
    inputs = []
    for ids, length, ours in zip(tokens, lengths, logits):
        theirs = model(torch.from_numpy(ids[None, :length])).detach()
        worst = max(worst, difference(ours[:length], theirs[0].numpy()))
        if length > 1:
            inputs.append([codec.tokens[i] for i in ids[1:length]])
            answers.append(codec.decode(theirs))
    for tokens in some_inputs(path, codec):
        inputs.append(tokens)
        answers.append(codec.decode(model(codec.encode(tokens))))
    dtype = logits.dtype.name
    tolerance = LIMIT[dtype]
    for tokens, ours, theirs in zip(inputs, models.outputs(path, inputs), answers):
        assert len(ours) == len(theirs) and all(
            models.same(a, b, tolerance) for a, b in zip(ours, theirs)
        ), f"{path}: {tokens}: {ours}, the other {theirs}"
    return dtype, codec.output["type"], len(inputs), worst


def main(kind, *paths):
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    bad = 0
    print(f"{'model':32} {'numbers':8} {'output':7} inputs  difference")
    for path in map(pathlib.Path, paths):
        dtype, output, inputs, worst = compare(path, LOADERS[kind])
        bad += worst > LIMIT[dtype]
        print(f"{path.stem:32} {dtype:8} {output:7} {inputs:6}  {worst:.1e}")
    print(f"{len(paths)} models, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
