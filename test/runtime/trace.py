#!/usr/bin/python3
"""Compares a trace with a forward pass in NumPy.

    trace.py path/to/rasp-run MODEL.h5...

Every hook point that runtime/TRACE.md lists is computed from the weights as the
table there defines it, on inputs of several lengths, and compared with what
`rasp-run --trace` has written. On the examples of the model file, the logits
must be the file's to the bit: those come from the pass without hooks.
"""

import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

import numpy_forward


def activations(config, state, tokens, edit=lambda name, value: value):
    """All hooks of a batch [B, T] in the order in which they fire; what `edit`
    makes of an activation is what the rest of the pass reads."""
    batch, length = tokens.shape
    heads = config["n_heads"]
    hooks = {}

    def hook(name, value):
        hooks[name] = edit(name, value)
        return hooks[name]

    x = (hook("hook_embed", state["embed.W_E"][tokens])
         + hook("hook_pos_embed",
                np.broadcast_to(state["pos_embed.W_pos"][:length],
                                (batch, length, config["d_model"]))))
    root = np.sqrt(config["d_head"]).astype(x.dtype)
    for layer in range(config["n_layers"]):
        block = f"blocks.{layer}."

        def weight(name):
            return state[block + name]

        x = hook(block + "hook_resid_pre", x)
        inputs = {}
        for name in "qkv":
            inputs[name] = hook(f"{block}hook_{name}_input", np.broadcast_to(
                x[:, :, None], (batch, length, heads, config["d_model"])))
        q, k, v = (
            hook(f"{block}attn.hook_{name}",
                 np.einsum("bthd,hdk->bthk", inputs[name],
                           weight(f"attn.W_{name.upper()}"))
                 + weight(f"attn.b_{name.upper()}"))
            for name in "qkv")
        scores = np.einsum("bqhk,bshk->bhqs", q, k) / root
        if config["attention_dir"] == "causal":
            hidden = np.triu(np.ones((length, length), bool), 1)
            scores[:, :, hidden] = -np.inf
        scores = hook(block + "attn.hook_attn_scores", scores)
        exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
        pattern = hook(block + "attn.hook_pattern",
                       exponents / exponents.sum(axis=-1, keepdims=True))
        z = hook(block + "attn.hook_z", np.einsum("bhqs,bshk->bqhk", pattern, v))
        result = hook(block + "attn.hook_result",
                      np.einsum("bthk,hkd->bthd", z, weight("attn.W_O")))
        x = x + hook(block + "hook_attn_out",
                     result.sum(axis=2) + weight("attn.b_O"))
        x = hook(block + "hook_resid_mid", x)
        pre = hook(block + "mlp.hook_pre",
                   hook(block + "hook_mlp_in", x) @ weight("mlp.W_in")
                   + weight("mlp.b_in"))
        post = hook(block + "mlp.hook_post", np.maximum(pre, 0))
        x = x + hook(block + "hook_mlp_out",
                     post @ weight("mlp.W_out") + weight("mlp.b_out"))
        x = hook(block + "hook_resid_post", x)
    x = hook("unembed.hook_in", x)
    hook("unembed.hook_out", x @ state["unembed.W_U"] + state["unembed.b_U"])
    return hooks


def difference(a, b):
    """Largest difference, relative to the largest number; hidden scores are
    -inf in both."""
    assert a.shape == b.shape, (a.shape, b.shape)
    finite = np.isfinite(b)
    assert (a[~finite] == b[~finite]).all()
    if not finite.any():
        return 0.0
    scale = 1 + abs(b[finite]).max()
    return float(abs(a[finite] - b[finite]).max() / scale)


def main(rasp_run, path):
    config, state, vocab, special, _, labels, examples = numpy_forward.load(path)
    inputs = [[vocab[token]["value"] for token in tokens[1:length]]
              for tokens, length in zip(examples["tokens"], examples["length"])]
    inputs += [given[:1] for given in inputs]
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace.h5")
        answer = subprocess.run(
            [rasp_run, "--json", "--inputs=-", "--trace=" + trace, path],
            check=True, text=True, stdout=subprocess.PIPE,
            input="".join(json.dumps(given) + "\n" for given in inputs))
        plain = subprocess.run(
            [rasp_run, "--json", "--inputs=-", path],
            check=True, text=True, stdout=subprocess.PIPE,
            input="".join(json.dumps(given) + "\n" for given in inputs))
        assert answer.stdout == plain.stdout
        worst, count, seen = 0.0, 0, []
        with h5py.File(trace) as file:
            assert file.attrs["format"] == "raspc-trace"
            assert list(file["labels"].asstr()) == labels
            answers = json.loads(file["inputs/json"].asstr()[()])
            assert answers == [json.loads(line)
                               for line in answer.stdout.splitlines()]
            names = list(file["hooks"].asstr())
            for group in file.values():
                if not isinstance(group, h5py.Group) or "tokens" not in group:
                    continue
                tokens = group["tokens"][()]
                for place, (number, row) in enumerate(
                        zip(group["input"], tokens)):
                    assert row[0] == special["bos_id"]
                    assert [vocab[token]["value"] for token in row[1:]] == \
                        inputs[number]
                    if number < len(examples["logits"]):
                        stored = examples["logits"][number][:len(row)]
                        assert (group["logits"][place] == stored).all()
                seen += list(group["input"])
                expected = activations(config, state, tokens)
                assert list(expected) == names, names
                expected["logits"] = expected["unembed.hook_out"]
                assert set(group) == {*expected, "tokens", "input"}
                for name, value in expected.items():
                    assert group[name].dtype.name == config["dtype"], name
                    own = difference(group[name][()], value)
                    assert own < (1e-5 if config["dtype"] == "float32"
                                  else 1e-12), (name, own)
                    worst = max(worst, own)
                count += 1
        assert sorted(seen) == list(range(len(inputs)))
    print(f"{path}: {len(inputs)} inputs of {count} lengths, {len(names)} hooks, "
          f"largest difference {worst:.1e}")


if __name__ == "__main__":
    for model in sys.argv[2:]:
        main(sys.argv[1], model)
