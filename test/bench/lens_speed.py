"""lens_speed.py hooked|bridge SECONDS MODEL.h5...: sequences that TransformerLens
runs in a second of one processor's time, as JSON:
{"reverse": {"1": 900.1, "1024": 52000.0}, ...}.

From ids to logits, for the longest sequences that a model takes; without
gradients, hooks, or activations that nobody asked for. runtime.py calls it."""

import json
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
    calls, start = 0, time.process_time()
    while (elapsed := time.process_time() - start) < seconds:
        model(ids)
        calls += 1
    return calls * len(ids) / elapsed


def measure(model, codec, batch, seconds):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(len(codec.tokens), (batch, codec.longest + 1), generator=generator)
    ids[:, 0] = codec.bos_id
    return rate(model, ids, seconds)


load = {"hooked": load_lean, "bridge": load_bridge}[sys.argv[1]]
seconds = float(sys.argv[2])
result = {}
torch.set_num_threads(1)
with torch.inference_mode():
    for path in map(pathlib.Path, sys.argv[3:]):
        model, codec = load(path), Codec(path)
        result[path.stem] = {
            str(batch): measure(model, codec, batch, seconds) for batch in (1, 1024)
        }
print(json.dumps(result))
