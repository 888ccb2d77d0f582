"""Loads models that raspc has compiled into TransformerLens.

    model, codec = load_bridge("reverse.h5"), Codec("reverse.h5")
    logits, cache = model.run_with_cache(codec.encode("hello"))
    codec.decode(logits)                  # ['o', 'l', 'l', 'e', 'h']

`load_bridge` makes a TransformerBridge, which TransformerLens has from version 3
on; `load_hooked` a HookedTransformer, which it had up to version 3. Both have the
same weights and the same names for activations. Only a HookedTransformer has
those of single heads (`hook_result`) and of what a head's q, k and v read.

Weights are loaded as they are. Do not let TransformerLens process them
(`load_and_process_state_dict`, `enable_compatibility_mode` without
`no_processing=True`): centred weights have other logits, and where there is one
output only, none.
"""

import json

import h5py
import torch


def read(path):
    """The configuration and the tensors by name."""
    with h5py.File(path) as file:
        if file.attrs["format_version"] > 1:
            raise ValueError(f"{path}: written by a newer raspc")
        if file.attrs.get("padding") == "none":
            raise ValueError(f"{path}: its layers differ in size (raspc --pad=none)")
        config = json.loads(file.attrs["tl_config"])
        tensors = {k: torch.from_numpy(d[()]) for k, d in file["state_dict"].items()}
    config["dtype"] = getattr(torch, config["dtype"])
    return config, tensors


def load_hooked(path):
    """The model as a HookedTransformer."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config, tensors = read(path)
    model = HookedTransformer(HookedTransformerConfig(**config))
    loaded = model.load_state_dict(tensors, strict=False)
    # Buffers, which are no weights, are not in the file; all else must be.
    buffers = (".mask", ".IGNORE")
    missing = [k for k in loaded.missing_keys if not k.endswith(buffers)]
    if missing or loaded.unexpected_keys:
        raise ValueError(f"{path}: missing {missing}, unknown {loaded.unexpected_keys}")
    return model.eval()


def load_bridge(path):
    """The model as a TransformerBridge."""
    import transformer_lens.model_bridge.sources.native  # brings boot_native
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config, tensors = read(path)
    model = TransformerBridge.boot_native(
        TransformerBridgeConfig.from_dict(config), dtype=config["dtype"]
    )
    model.load_state_dict(for_bridge(tensors), strict=True)
    return model.eval()


def for_bridge(tensors):
    """The tensors under the names and in the shapes of a bridge: those of
    torch.nn.Linear, [out, in], with the heads side by side."""

    def turn(name, tensor):
        prefix, _, part = name.rpartition(".")
        suffix, change = BRIDGE_PARTS[part]
        return f"{prefix}.{suffix}", change(tensor) if change else tensor

    return dict(turn(name, tensor) for name, tensor in tensors.items())


def heads_to_rows(w):
    return w.transpose(1, 2).flatten(0, 1)


BRIDGE_PARTS = {
    "W_E": ("weight", None),
    "W_pos": ("weight", None),
    "W_Q": ("q.weight", heads_to_rows),
    "W_K": ("k.weight", heads_to_rows),
    "W_V": ("v.weight", heads_to_rows),
    "W_O": ("o.weight", lambda w: w.flatten(0, 1).t()),
    "b_Q": ("q.bias", torch.flatten),
    "b_K": ("k.bias", torch.flatten),
    "b_V": ("v.bias", torch.flatten),
    "b_O": ("o.bias", None),
    "W_in": ("in.weight", torch.t),
    "b_in": ("in.bias", None),
    "W_out": ("out.weight", torch.t),
    "b_out": ("out.bias", None),
    "W_U": ("weight", torch.t),
    "b_U": ("bias", None),
}


class Codec:
    """Inputs to token ids, logits to values; `labels` names the directions of
    the residual stream."""

    def __init__(self, path):
        with h5py.File(path) as file:
            vocabulary = json.loads(file["vocab/input/json"].asstr()[()])
            self.output = json.loads(file["vocab/output/json"].asstr()[()])
            self.bos_id = int(file["vocab/input"].attrs["bos_id"])
            self.longest = file["state_dict/pos_embed.W_pos"].shape[0] - 1
            self.labels = list(file["residual/labels"].asstr())
        self.tokens = [entry["value"] for entry in vocabulary]
        # In Python True == 1; here they are two tokens, while 1 and 1.0 are one.
        self.ids = {(type(v) is bool, v): i for i, v in enumerate(self.tokens)}

    def encode(self, *inputs):
        """Ids [batch, 1 + length], BOS first. An input is a string of one-character
        tokens or a list of tokens; those of a batch must have one length, since
        nothing hides padding from attention."""
        if len({len(tokens) for tokens in inputs}) != 1:
            raise ValueError("inputs of one batch must have the same length")
        if len(inputs[0]) > self.longest:
            raise ValueError(f"{len(inputs[0])} tokens, the model takes {self.longest}")
        return torch.tensor([[self.bos_id, *map(self.id_of, tokens)] for tokens in inputs])

    def id_of(self, token):
        try:
            return self.ids[type(token) is bool, token]
        except KeyError:
            raise ValueError(f"{token!r} is none of the tokens {self.tokens}") from None

    def shown(self, ids):
        """The tokens of one sequence of ids as text, for axes of plots."""
        return ["BOS" if i == self.bos_id else str(self.tokens[i]) for i in ids.tolist()]

    def decode(self, logits):
        """The values behind BOS: a list for logits [length, outputs], and one per
        input for [batch, length, outputs]. One input's batch is taken off."""
        if logits.ndim == 3:
            rows = [self.decode(row) for row in logits]
            return rows[0] if len(rows) == 1 else rows
        logits = logits.detach()[1:]
        values = self.output["values"]
        if self.output["kind"] == "categorical":
            return [values[i] for i in logits.argmax(dim=-1)]
        numbers = logits[:, 0]
        if not values:
            return numbers.tolist()
        listed = torch.tensor(values, dtype=torch.float64)
        return [values[(listed - number).abs().argmin()] for number in numbers.double()]
