#!/usr/bin/python3
"""Runs a compiled model with NumPy alone and compares with raspc's runtime.

    numpy_forward.py MODEL.h5... [path/to/rasp-run]

Opens the file as a Python user would, with h5py, and knows of the model only
what runtime/FORMAT.md says. The logits must be those that the file carries for
its examples, and the decoded outputs those that rasp-run prints.
"""

import json
import subprocess
import sys

import h5py
import numpy as np


def load(path):
    """The configuration, the tensors by name, the vocabularies, the examples."""
    with h5py.File(path, "r") as file:
        assert file.attrs["format"] == "raspc-model"
        assert file.attrs["format_version"] == 1
        config = json.loads(file.attrs["tl_config"])
        state = {name: data[()] for name, data in file["state_dict"].items()}
        vocab = json.loads(file["vocab/input/json"].asstr()[()])
        output = json.loads(file["vocab/output/json"].asstr()[()])
        labels = list(file["residual/labels"].asstr())
        examples = {name: data[()] for name, data in file["examples"].items()}
        special = dict(file["vocab/input"].attrs)
        for text in ("residual/json", "circuit/json", "program/ir_json",
                     "program/options_json"):
            json.loads(file[text].asstr()[()])
        assert file["program/rasp"].asstr()[()]
        repeated = json.loads(file["header/json"].asstr()[()])
        assert repeated["tl_config"] == config
        assert repeated["residual_labels"] == labels
        for name in ("format", "format_version", "created_by", "source_sha256",
                     "state_sha256"):
            assert repeated[name] == file.attrs[name], name
    return config, state, vocab, special, output, labels, examples


def expected_shapes(config):
    """What a HookedTransformer of this configuration has, buffers apart."""
    d, k, h = config["d_model"], config["d_head"], config["n_heads"]
    m, out = config["d_mlp"], config["d_vocab_out"]
    shapes = {
        "embed.W_E": (config["d_vocab"], d),
        "pos_embed.W_pos": (config["n_ctx"], d),
        "unembed.W_U": (d, out),
        "unembed.b_U": (out,),
    }
    for layer in range(config["n_layers"]):
        block = f"blocks.{layer}."
        for name in "QKV":
            shapes[f"{block}attn.W_{name}"] = (h, d, k)
            shapes[f"{block}attn.b_{name}"] = (h, k)
        shapes[f"{block}attn.W_O"] = (h, k, d)
        shapes[f"{block}attn.b_O"] = (d,)
        shapes[f"{block}mlp.W_in"] = (d, m)
        shapes[f"{block}mlp.b_in"] = (m,)
        shapes[f"{block}mlp.W_out"] = (m, d)
        shapes[f"{block}mlp.b_out"] = (d,)
    return shapes


def forward(config, state, tokens):
    """Logits [len(tokens), d_vocab_out]; one sequence, BOS first."""
    length = len(tokens)
    x = state["embed.W_E"][tokens] + state["pos_embed.W_pos"][:length]
    root = np.sqrt(config["d_head"]).astype(x.dtype)
    for layer in range(config["n_layers"]):
        part = {name.split(".")[-1]: tensor for name, tensor in state.items()
                if name.startswith(f"blocks.{layer}.")}

        def project(name):
            return (np.einsum("td,hdk->htk", x, part["W_" + name])
                    + part["b_" + name][:, None, :])

        scores = project("Q") @ project("K").transpose(0, 2, 1) / root
        if config["attention_dir"] == "causal":
            hidden = np.triu(np.ones((length, length), bool), 1)
            scores[:, hidden] = -np.inf
        scores -= scores.max(axis=-1, keepdims=True)
        pattern = np.exp(scores)
        pattern /= pattern.sum(axis=-1, keepdims=True)
        z = pattern @ project("V")
        x = x + np.einsum("htk,hkd->td", z, part["W_O"]) + part["b_O"]
        hidden = np.maximum(x @ part["W_in"] + part["b_in"], 0)
        x = x + hidden @ part["W_out"] + part["b_out"]
    return x @ state["unembed.W_U"] + state["unembed.b_U"]


def decode(output, logits):
    """Values at the positions behind BOS."""
    if output["kind"] == "categorical":
        return [output["values"][i] for i in logits[1:].argmax(axis=-1)]
    numbers = logits[1:, 0]
    if not output["values"]:
        return [float(number) for number in numbers]
    listed = np.array(output["values"], float)
    return [output["values"][abs(listed - number).argmin()]
            for number in numbers]


def same(a, b, tolerance):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= tolerance
    return type(a) is type(b) and a == b


def main(path, rasp_run="rasp-run"):
    config, state, vocab, special, output, labels, examples = load(path)
    shapes = {name: tensor.shape for name, tensor in state.items()}
    assert shapes == expected_shapes(config), shapes
    dtypes = {tensor.dtype.name for tensor in state.values()}
    assert dtypes == {config["dtype"]}, dtypes
    assert all(np.isfinite(tensor).all() for tensor in state.values())
    assert len(labels) == config["d_model"]
    assert [entry["id"] for entry in vocab] == list(range(len(vocab)))
    assert special["bos_id"] >= len(vocab) and special["pad_id"] >= len(vocab)

    inputs, outputs, worst = [], [], 0.0
    precision = 1e-5 if config["dtype"] == "float32" else 1e-12
    for tokens, length, expected in zip(
            examples["tokens"], examples["length"], examples["logits"]):
        tokens, expected = tokens[:length], expected[:length]
        assert tokens[0] == special["bos_id"]
        logits = forward(config, state, tokens)
        error = abs(logits - expected).max() / (1 + abs(expected).max())
        worst = max(worst, float(error))
        if length > 1:
            inputs.append([vocab[token]["value"] for token in tokens[1:]])
            outputs.append(decode(output, logits))
    assert worst <= precision, worst

    answer = subprocess.run(
        [rasp_run, "--json", "--inputs=-", path], check=True, text=True,
        input="".join(json.dumps(line) + "\n" for line in inputs),
        stdout=subprocess.PIPE) if inputs else None
    lines = answer.stdout.splitlines() if answer else []
    assert len(lines) == len(inputs), (len(lines), len(inputs))
    for line, given, ours in zip(lines, inputs, outputs):
        theirs = json.loads(line)
        assert theirs["input"] == given, (theirs, given)
        assert len(theirs["output"]) == len(ours) and all(
            same(a, b, 10 * precision)
            for a, b in zip(theirs["output"], ours)), (theirs, ours)
    print(f"{len(examples['tokens'])} examples agree, "
          f"largest difference of logits {worst:.1e}")


if __name__ == "__main__":
    models = [path for path in sys.argv[1:] if path.endswith(".h5")]
    tools = [path for path in sys.argv[1:] if path not in models]
    assert models and len(tools) <= 1, __doc__
    for model in models:
        print(f"{model}: ", end="", flush=True)
        main(model, *tools)
