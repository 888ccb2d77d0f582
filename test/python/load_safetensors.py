"""load_safetensors.py MODEL.h5...: what rasp-convert writes for a bridge is what
TransformerLens calls a bridge's state, and computes the same logits."""

import json
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import torch
import transformer_lens.model_bridge.sources.native  # brings boot_native
from safetensors import safe_open
from safetensors.torch import load_file
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge


def check(model, path):
    subprocess.run(["rasp-convert", "--layout=tl-bridge", model, "-o", path], check=True)
    with safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["tl_config"])
    config["dtype"] = getattr(torch, config["dtype"])
    bridge = TransformerBridge.boot_native(
        TransformerBridgeConfig.from_dict(config), dtype=config["dtype"]
    )
    state = load_file(path)
    assert state.keys() == bridge.state_dict().keys()
    bridge.load_state_dict(state, strict=True)
    with h5py.File(model) as file:
        tokens, length, logits = (
            file[f"examples/{name}"][0] for name in ("tokens", "length", "logits")
        )
    theirs = bridge.eval()(torch.from_numpy(tokens[None, :length]))
    np.testing.assert_allclose(theirs[0].numpy(), logits[:length], rtol=1e-5, atol=1e-5)


torch.set_grad_enabled(False)
for model in map(pathlib.Path, sys.argv[1:]):
    check(model, model.with_suffix(".safetensors"))
print(f"{len(sys.argv) - 1} models loaded")
