#!/usr/bin/python3
"""Interventions at random, made by rasp-run and in NumPy.

    interventions.py path/to/rasp-run MODEL.h5...

`rasp-run --patch --trace` runs with one or two interventions of every kind and
at every hook point. A NumPy pass makes the same ones as INTERVENTIONS.md
describes them; all activations must agree, and so must the logits.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

import h5py
import numpy as np

import numpy_forward
import trace

AXES = {
    "resid": ["inputs", "positions", "directions"],
    "head_resid": ["inputs", "positions", "heads", "directions"],
    "head": ["inputs", "positions", "heads", "columns"],
    "attention": ["inputs", "heads", "positions", "keys"],
    "hidden": ["inputs", "positions", "units"],
    "logits": ["inputs", "positions", "outputs"],
}


def axes_of(name):
    last = name.rsplit("hook_", 1)[1]
    if name == "unembed.hook_out":
        return AXES["logits"]
    if last in ("q", "k", "v", "z"):
        return AXES["head"]
    if last in ("attn_scores", "pattern"):
        return AXES["attention"]
    if last in ("pre", "post"):
        return AXES["hidden"]
    if last in ("q_input", "k_input", "v_input", "result"):
        return AXES["head_resid"]
    return AXES["resid"]


def choose_intervention(rng, name, shape, references):
    """A JSON object; `shape` is that of the activation."""
    entry = {"hook": name}
    block = list(shape)
    for axis, member in enumerate(axes_of(name)):
        if rng.random() < 0.5 or member == "inputs" and rng.random() < 0.7:
            continue
        extent = shape[axis]
        indices = rng.sample(range(extent), rng.randint(1, extent))
        block[axis] = len(indices)
        if member != "inputs" and rng.random() < 0.3:
            indices = [index - extent for index in indices]
        entry[member] = indices[0] if len(indices) == 1 else indices
    entry["action"] = rng.choice(["replace", "add", "zero", "mean", "resample"])
    if entry["action"] in ("replace", "add"):
        sizes = [rng.choice([1, extent])
                 for extent in block[1 + rng.randint(0, len(block) - 1):]]
        values = np.array([rng.randint(-8, 8) / 4
                           for _ in range(int(np.prod(sizes)))])
        entry["value"] = (values.reshape(sizes) if sizes else values[0]).tolist()
    elif entry["action"] != "zero":
        entry["from"] = references
    return entry


def make_edit(entries, clean):
    """The function that `trace.activations` calls; `clean` has the activations
    of the references of each entry."""
    def edit(name, value):
        for entry, reference in zip(entries, clean):
            if entry["hook"] != name:
                continue
            value = np.array(value)
            lists = []
            for extent, member in zip(value.shape, axes_of(name)):
                own = entry.get(member, list(range(extent)))
                lists.append([index % extent for index in
                              (own if isinstance(own, list) else [own])])
            place = np.ix_(*lists)
            if entry["action"] == "zero":
                value[place] = 0
            elif entry["action"] == "add":
                value[place] += np.array(entry["value"], value.dtype)
            elif entry["action"] == "replace":
                value[place] = np.array(entry["value"], value.dtype)
            elif entry["action"] == "mean":
                mean = reference[name].astype(np.float64).mean(
                    axis=0, keepdims=True).astype(value.dtype)
                value[place] = np.broadcast_to(mean, value.shape)[place]
            else:
                numbers = np.arange(len(value)) % len(reference[name])
                value[place] = reference[name][numbers][place]
        return value
    return edit


def close(own, expected, precision):
    """Changed activations may be large, so sums lose digits."""
    assert own.shape == expected.shape
    with np.errstate(invalid="ignore"):
        equal = (own == expected) | (np.isnan(own) & np.isnan(expected))
        scale = 1 + np.nanmax(np.where(np.isfinite(expected), abs(expected), 0))
        return bool((equal | (abs(own - expected) <= precision * scale)).all())


def main(rasp_run, path, tries):
    config, state, vocab, special, _, _, _ = numpy_forward.load(path)
    rng = random.Random(1)
    values = [entry["value"] for entry in vocab]
    precision = 1e-4 if config["dtype"] == "float32" else 1e-10
    kinds = set()

    def draw(count, length):
        return [[rng.randrange(len(values)) for _ in range(length)]
                for _ in range(count)]

    def batch(ids):
        return np.array([[special["bos_id"], *row] for row in ids])

    def as_values(ids):
        return [[values[token] for token in row] for row in ids]

    with tempfile.TemporaryDirectory() as folder:
        patch = os.path.join(folder, "patch.json")
        file_name = os.path.join(folder, "trace.h5")
        for _ in range(tries):
            length = rng.randint(1, config["n_ctx"] - 1)
            inputs, references = draw(3, length), draw(2, length)
            unchanged = trace.activations(config, state, batch(inputs))
            # Inputs of another length are no references for these.
            others = draw(1, length - 1) if length > 1 else []
            names = rng.sample(list(unchanged), rng.randint(1, 2))
            entries = [
                choose_intervention(rng, name, unchanged[name].shape,
                                    as_values(others + references))
                for name in names]
            kinds |= {(entry["hook"], entry["action"]) for entry in entries}
            with open(patch, "w", encoding="utf-8") as file:
                json.dump({"interventions": entries}, file)
            subprocess.run(
                [rasp_run, "--inputs=-", "--patch=" + patch,
                 "--trace=" + file_name, path],
                check=True, text=True, stdout=subprocess.DEVNULL,
                input="".join(json.dumps(row) + "\n"
                              for row in as_values(inputs)))
            clean = trace.activations(config, state, batch(references))
            with np.errstate(all="ignore"):
                expected = trace.activations(
                    config, state, batch(inputs),
                    make_edit(entries, [clean] * len(entries)))
            expected["logits"] = expected["unembed.hook_out"]
            with h5py.File(file_name) as file:
                (group,) = (group for name, group in file.items()
                            if name.startswith("length_"))
                for name, value in expected.items():
                    assert close(group[name][()], value, precision), (
                        name, json.dumps(entries), inputs)
                assert not any(
                    (group[name][()] == unchanged[name]).all()
                    for name in names
                    if not (expected[name] == unchanged[name]).all())
    print(f"{path}: {tries} runs, {len(kinds)} kinds of interventions agree")


if __name__ == "__main__":
    for model in sys.argv[2:]:
        main(sys.argv[1], model, tries=40)
