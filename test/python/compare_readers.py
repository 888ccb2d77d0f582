"""compare_readers.py hooked|bridge|onnx MODEL.h5...

Has other people's programs run models, and compares them with raspc's runtime, on
the examples that a file carries and on random inputs of every length: the logits,
every activation that both have a name for, and the decoded outputs. The programs
are TransformerLens, by the loader of examples/python, with a HookedTransformer or
a TransformerBridge; and onnxruntime, by rasp-convert. Prints a table.

Numbers are compared as |a - b| / max(1, |a|): absolutely where they are small, as
most directions of the residual stream and logits are, else relatively. Queries, keys
and scores are the exception: weights of some 256 sqrt(d_head) go into them, so that
attention is hard, and multiply what rounding has left in the residual stream; then
large terms cancel. They are compared with the sum of the sizes of their terms, in
which each input counts at least 1. Infinities must be equal.
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


def open_lens(load):
    def open_model(path):
        model = load(path)

        def run(ids):
            logits, cache = model.run_with_cache(torch.from_numpy(ids))
            return logits.numpy(), {name: cache[name].numpy() for name in cache.keys()}

        return run

    return open_model


def open_onnx(path):
    with tempfile.TemporaryDirectory() as folder:
        graph = pathlib.Path(folder, "model.onnx")
        subprocess.run(["rasp-convert", path, "-o", graph, "--outputs=hooks"], check=True)
        onnx.checker.check_model(onnx.load(graph), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # One of the extended optimisations makes a float32 of the number that scores
        # are divided by, also in a float64 graph.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        session = onnxruntime.InferenceSession(graph, options)
    names = [output.name for output in session.get_outputs()]

    def run(ids):
        values = dict(zip(names, session.run(names, {"tokens": ids})))
        return values.pop("logits"), values

    return run


# The activations that a program does not have, by the ends of their names. A bridge
# does not take heads apart, and has the pattern under the name of the scores too.
PROGRAMS = {
    "hooked": (open_lens(load_hooked), ("unembed.hook_in", "unembed.hook_out")),
    "bridge": (
        open_lens(load_bridge),
        ("hook_q_input", "hook_k_input", "hook_v_input", "hook_attn_scores", "hook_result"),
    ),
    "onnx": (open_onnx, ()),
}


def difference(ours, theirs, size):
    """The largest difference of two arrays, as a share of `size`."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
    assert not np.isnan(ours).any() and not np.isnan(theirs).any()
    finite = np.isfinite(ours)
    if not np.array_equal(ours[~finite], theirs[~finite]):
        return np.inf
    distance = abs(ours[finite].astype(np.float64) - theirs[finite])
    return float((distance / np.maximum(1, size[finite])).max(initial=0))


def at_least_one(array):
    return np.maximum(1, abs(array.astype(np.float64)))


def size_of(name, values, weights):
    """What the difference of an activation is compared with."""
    module, _, hook = name.rpartition(".hook_")
    if hook in ("q", "k"):
        x = at_least_one(values[module.replace("attn", "hook_resid_pre")][()])
        w, b = (abs(weights[f"{module}.{x}_{hook.upper()}"][()]) for x in "Wb")
        return np.einsum("btd,hdk->bthk", x, w) + b
    if hook == "attn_scores":
        q, k = (at_least_one(values[f"{module}.hook_{x}"][()]) for x in "qk")
        return np.einsum("bqhk,bshk->bhqs", q, k) / np.sqrt(q.shape[-1])
    return abs(values[name][()])


def inputs_of(path, codec):
    """The file's own examples, and some of every length."""
    with h5py.File(path) as file:
        examples = zip(file["examples/tokens"][()], file["examples/length"][()])
        for ids, length in examples:
            if length > 1:
                yield [codec.tokens[i] for i in ids[1:length]]
    rng = random.Random(path.name)
    for length in range(1, codec.longest + 1):
        for _ in range(INPUTS_PER_LENGTH):
            yield rng.choices(codec.tokens, k=length)


def compare(path, program):
    """Type of the numbers, kind of output, number of inputs and of activations, the
    largest difference, and that of queries, keys and scores."""
    open_model, lacks = PROGRAMS[program]
    run, codec = open_model(path), Codec(path)
    inputs = list(inputs_of(path, codec))
    worst = {False: 0, True: 0}
    with tempfile.TemporaryDirectory() as folder:
        trace_path = pathlib.Path(folder, "trace.h5")
        answers = models.outputs(path, inputs, f"--trace={trace_path}")
        with h5py.File(trace_path) as trace, h5py.File(path) as file:
            names = [name for name in trace["hooks"].asstr() if not name.endswith(lacks)]
            for length in sorted({len(tokens) for tokens in inputs}):
                ours = trace[f"length_{length + 1}"]
                logits, values = run(ours["tokens"][()])
                for name in ("logits", *names):
                    theirs = logits if name == "logits" else values[name]
                    size = size_of(name, ours, file["state_dict"])
                    kind = name.endswith(("hook_q", "hook_k", "hook_attn_scores"))
                    worst[kind] = max(worst[kind], difference(ours[name][()], theirs, size))
                for i, row in zip(ours["input"], logits, strict=True):
                    check_output(path, inputs[i], answers[i], codec.decode(torch.from_numpy(row)))
    return logits.dtype.name, codec.output["type"], len(inputs), len(names), *worst.values()


def check_output(path, tokens, ours, theirs):
    same = [models.same(a, b) for a, b in zip(ours, theirs, strict=True)]
    assert all(same), f"{path}: {tokens}: raspc {ours}, the other {theirs}"


def main(program, *paths):
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    bad = 0
    print(f"{'model':24} {'numbers':8} {'output':7} inputs  hooks  difference  q, k, scores")
    for path in map(pathlib.Path, paths):
        dtype, output, inputs, hooks, *worst = compare(path, program)
        bad += max(worst) > LIMIT[dtype]
        print(
            f"{path.stem:24} {dtype:8} {output:7} {inputs:6}  {hooks:5}"
            f"  {worst[0]:10.1e}  {worst[1]:12.1e}"
        )
    print(f"{len(paths)} models, {bad} differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
