"""look_inside.py MODEL.h5 INPUT [FOLDER]

Runs a model in TransformerLens and draws what is inside, into the folder:
residual.png, the residual stream after every half-layer, and attention.png, where
each head looks. An input is a string of one-character tokens or a JSON list.

The cells (`# %%`) can be run one by one in an editor that knows notebooks.
"""

# %% What it needs.
import json
import pathlib
import sys

import h5py
import matplotlib

matplotlib.use("Agg")  # files, no windows
import matplotlib.pyplot as plt
import numpy as np
from load_transformer_lens import Codec, load_bridge

TOKENS = {"fontfamily": "monospace", "fontsize": 8, "parse_math": False}


# %% The residual stream.
def residual_panels(cache, layers):
    """Title and activation [length, d_model] of each half-layer, the input first."""
    yield "Input", cache["resid_pre", 0]
    for layer in range(layers):
        yield f"Attn {layer + 1}", cache["resid_mid", layer]
        yield f"MLP {layer + 1}", cache["resid_post", layer]


def plot_residual(cache, codec, ids, path):
    """A panel per half-layer: tokens from left to right, directions by name from
    the bottom up. A direction with values beyond 1 is shown as a share of its
    largest, which stands behind its name. Of one input, `cache` without its batch
    dimension."""
    layers = sum(name.endswith("hook_resid_post") for name in cache.keys())
    panels = [(title, x.numpy().T) for title, x in residual_panels(cache, layers)]
    largest = np.maximum(1, np.max([abs(x).max(axis=1) for _, x in panels], axis=0))
    names = [
        label if size == 1 else f"{label} / {size:.3g}"
        for label, size in zip(codec.labels, largest)
    ]
    height, width = panels[0][1].shape
    figure, axes = plt.subplots(
        1,
        len(panels),
        sharey=True,
        squeeze=False,
        layout="constrained",
        figsize=(1.5 + len(panels) * (0.4 + 0.18 * width), 1 + 0.16 * height),
    )
    for axis, (title, x) in zip(axes[0], panels):
        cells = axis.pcolormesh(x / largest[:, None], cmap="RdBu", vmin=-1, vmax=1)
        axis.set_title(title, fontsize=9)
        axis.set_xticks(np.arange(width) + 0.5, codec.shown(ids), rotation=90, **TOKENS)
    axes[0, 0].set_yticks(np.arange(height) + 0.5, names, **TOKENS)
    figure.colorbar(cells, ax=axes[0])
    figure.savefig(path, dpi=120)
    plt.close(figure)


# %% Attention.
def head_names(path):
    """By layer and head, the selectors of the program that the head implements."""
    with h5py.File(path) as file:
        nodes = json.loads(file["circuit/json"].asstr()[()])["nodes"]
    return {
        (node["layer"], node["head"]): ", ".join(node["selectors"])
        for node in nodes
        if node["kind"] == "head"
    }


def plot_attention(cache, codec, ids, path, names):
    """A panel for each head of `names`: from each token, the row, how much of its
    attention goes to which, the column."""
    tokens = codec.shown(ids)
    size = 0.8 + 0.25 * len(tokens)
    figure, axes = plt.subplots(
        1,
        max(len(names), 1),
        squeeze=False,
        layout="constrained",
        figsize=(1 + len(names) * size, 0.6 + size),
    )
    for axis, ((layer, head), name) in zip(axes[0], sorted(names.items())):
        image = axis.imshow(cache["pattern", layer][head], cmap="Blues", vmin=0, vmax=1)
        axis.set_title(f"L{layer}H{head}: {name}", fontsize=8)
        axis.set_xticks(range(len(tokens)), tokens, rotation=90, **TOKENS)
        axis.set_yticks(range(len(tokens)), tokens, **TOKENS)
    if names:
        figure.colorbar(image, ax=axes[0])
    else:
        axes[0, 0].set_axis_off()
        axes[0, 0].set_title("no heads", fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


# %% One input.
def look_inside(path, tokens, folder):
    """Draws both; returns what the model answers."""
    model, codec = load_bridge(path), Codec(path)
    ids = codec.encode(tokens)
    logits, cache = model.run_with_cache(ids, remove_batch_dim=True)
    folder = pathlib.Path(folder)
    plot_residual(cache, codec, ids[0], folder / "residual.png")
    plot_attention(cache, codec, ids[0], folder / "attention.png", head_names(path))
    return codec.decode(logits)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    path, text, folder = [*sys.argv[1:], "."][:3]
    tokens = json.loads(text) if text.startswith("[") else text
    print(look_inside(path, tokens, folder))
