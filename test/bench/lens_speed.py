"""lens_speed.py hooked|bridge SECONDS MODEL.h5...: sequences per second of
TransformerLens, as JSON: {"reverse": {"1": 900.1, "1024": 52000.0}, ...}.

From ids to logits, for the longest sequences that a model takes; without
gradients, hooks, or activations that nobody asked for; with the number of threads
that is fastest. runtime.py calls it."""

import json
import os
import pathlib
import sys
import time

import torch

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))
from load_transformer_lens import Codec, load_bridge, load_hooked


def load_lean(path):
    """A HookedTransformer that does not take heads apart."""
    model = load_hooked(path)
    model.set_use_attn_result(False)
    model.set_use_split_qkv_input(False)
    model.set_use_hook_mlp_in(False)
    return model


def rate(model, ids, seconds):
    model(ids)
    model(ids)
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        model(ids)
        calls += 1
    return calls * len(ids) / elapsed


def measure(model, codec, batch, seconds):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(len(codec.tokens), (batch, codec.longest + 1), generator=generator)
    ids[:, 0] = codec.bos_id
    best = 0
    for threads in sorted({1, os.cpu_count()}):
        torch.set_num_threads(threads)
        best = max(best, rate(model, ids, seconds))
    return best


load = {"hooked": load_lean, "bridge": load_bridge}[sys.argv[1]]
seconds = float(sys.argv[2])
result = {}
with torch.inference_mode():
    for path in map(pathlib.Path, sys.argv[3:]):
        model, codec = load(path), Codec(path)
        result[path.stem] = {
            str(batch): measure(model, codec, batch, seconds) for batch in (1, 1024)
        }
print(json.dumps(result))
