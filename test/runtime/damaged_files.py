#!/usr/bin/python3
"""Damages model files in many ways; rasp-run must refuse each with a reason,
and without asking for much memory.

    damaged_files.py RASP-RUN MODEL.h5...
"""

import json
import os
import resource
import shutil
import subprocess
import sys

import h5py
import numpy as np


def edit_header(change):
    def edit(file):
        header = json.loads(file["header/json"][()])
        change(header)
        put_text(file, "header/json", json.dumps(header))
    return edit


def put_text(file, name, text):
    del file[name]
    file[name] = np.bytes_(text.encode())


def replace(name, data, **options):
    def edit(file):
        if name in file:
            del file[name]
        file.create_dataset(name, data=data, **options)
    return edit


def edit_values(name, value):
    def edit(file):
        data = file[name]
        data[(0,) * data.ndim] = value
    return edit


def config(**changes):
    return edit_header(lambda header: header["tl_config"].update(changes))


def texts(name, text):
    return lambda file: put_text(file, name, text)


def remove(name):
    def edit(file):
        del file[name]
    return edit


def external_link(file):
    del file["state_dict"]
    file["state_dict"] = h5py.ExternalLink("elsewhere.h5", "/state_dict")


def soft_link(file):
    file["other"] = file["state_dict/embed.W_E"][()]
    del file["state_dict/embed.W_E"]
    file["state_dict/embed.W_E"] = h5py.SoftLink("/other")


def external_values(file):
    data = file["state_dict/unembed.W_U"]
    shape, dtype = data.shape, data.dtype
    del file["state_dict/unembed.W_U"]
    file.create_dataset("state_dict/unembed.W_U", shape, dtype,
                        external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual_values(file):
    data = file["state_dict/unembed.W_U"]
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[...] = h5py.VirtualSource("elsewhere.h5", "x", data.shape)
    del file["state_dict/unembed.W_U"]
    file.create_virtual_dataset("state_dict/unembed.W_U", layout)


def fill_value(file):
    data = file["state_dict/unembed.W_U"]
    shape, dtype = data.shape, data.dtype
    del file["state_dict/unembed.W_U"]
    file.create_dataset("state_dict/unembed.W_U", shape, dtype, fillvalue=3)


def claims_to_be_huge(name):
    """A dataset without contents in the shape of a petabyte."""
    def edit(file):
        rank, dtype = file[name].ndim, file[name].dtype
        del file[name]
        file.create_dataset(name, (1 << 17,) * rank, dtype,
                            chunks=(1 << 9,) * rank)
    return edit


def damages_of_tensors(path):
    with h5py.File(path) as file:
        tensors = {name: data.shape for name, data in file["state_dict"].items()}
    for name, shape in tensors.items():
        full = "state_dict/" + name
        yield remove(full), name
        yield replace(full, np.zeros((shape[0] + 1, *shape[1:]), "f4")), "shape"
        yield replace(full, np.zeros(shape, "f8")), "float32"
        yield replace(full, np.full(shape, np.nan, "f4")), "finite"
        yield claims_to_be_huge(full), "shape"


def damages(path):
    """Pairs of a change to the open file and what the message must hold."""
    with h5py.File(path) as file:
        embedding = file["state_dict/embed.W_E"][()]
        padding = file.attrs["padding"]
    wide = np.zeros((embedding.shape[0], embedding.shape[1] + 1),
                    embedding.dtype)
    yield remove("header"), "not a model of raspc"
    for name in ("state_dict", "vocab", "residual", "circuit", "program",
                 "examples", "vocab/input", "header/json",
                 "state_dict/embed.W_E", "state_dict/blocks.0.mlp.b_in",
                 "program/rasp", "examples/length"):
        yield remove(name), name.split("/")[0]
    yield edit_header(lambda h: h.update(format="other")), "raspc-model"
    yield edit_header(lambda h: h.update(format_version=2)), "newer raspc"
    yield edit_header(lambda h: h.update(format_version=0)), "format_version"
    yield edit_header(lambda h: h.update(format_version="1")), "format_version"
    yield edit_header(lambda h: h.pop("tl_config")), "tl_config"
    yield edit_header(lambda h: h["residual_labels"].pop()), "residual_labels"
    yield edit_header(lambda h: h.update(residual_labels=None)), "labels"
    for name in ("n_layers", "d_model", "n_ctx", "d_head", "n_heads", "d_mlp",
                 "d_vocab", "d_vocab_out"):
        for size in (0, -1, 1.5, None, "1", 10 ** 12, 10 ** 30):
            yield config(**{name: size}), "expected"
        if name != "d_head" or padding == "uniform":
            yield config(**{name: 10 ** 7}), ""
    huge = dict.fromkeys(("n_layers", "d_head", "n_heads", "d_mlp"), 60000)
    yield config(**huge), "larger than" if padding == "uniform" else "a list of"
    if padding == "none":
        yield edit_header(lambda h: h.pop("layer_sizes")), "layer_sizes"
        yield edit_header(lambda h: h.update(layer_sizes=[1])), "n_heads"
        yield edit_header(lambda h: h.update(layer_sizes=[])), "a list of"
        yield (edit_header(lambda h: h["layer_sizes"][0].update(n_heads=-1)),
               "n_heads")
        yield (edit_header(lambda h: h["layer_sizes"][0].update(d_mlp=10 ** 9)),
               "d_mlp")
    yield edit_header(lambda h: h.update(padding="some")), "padding"
    yield config(attention_dir="sideways"), "attention_dir"
    yield config(dtype="float16"), "dtype"
    yield config(act_fn="gelu"), "act_fn"
    yield config(normalization_type="LN"), "normalization_type"
    yield texts("header/json", "[" * 100000), "nested"
    yield texts("header/json", "{"), "header/json"
    yield texts("header/json", ""), "header/json"
    yield texts("circuit/json", "[" * 100000), "circuit/json"
    yield texts("program/ir_json", "nonsense"), "ir_json"
    yield texts("vocab/input/json", "{}"), "vocab/input"
    yield texts("vocab/input/json", '[{"id":1,"value":"a"}]'), "vocab/input"
    yield texts("vocab/output/json", "[]"), "vocab/output"
    yield texts("vocab/output/json", '{"kind":"categorical","label":"x",'
                '"type":"int","values":[1],"types":["int"]}'), "logits"
    yield replace("vocab/input/json", "text of variable length"), "fixed length"
    yield replace("vocab/input/json", np.zeros(3)), "fixed length"
    yield replace("state_dict/embed.W_E", wide), "shape"
    yield replace("state_dict/embed.W_E", embedding.T), "shape"
    yield replace("state_dict/embed.W_E", embedding.astype("f2")), "float"
    yield replace("state_dict/embed.W_E", embedding.astype("i4")), "float"
    yield replace("state_dict/embed.W_E", embedding.astype(">f4")), "float"
    yield replace("state_dict/extra", embedding), "tensors"
    yield edit_values("state_dict/embed.W_E", np.nan), "finite"
    yield edit_values("state_dict/embed.W_E", -np.inf), "finite"
    yield edit_values("examples/tokens", 10 ** 6), None
    yield edit_values("examples/length", 10 ** 6), "length"
    yield edit_values("examples/length", -1), "length"
    yield replace("examples/tokens", np.zeros((1, 10), int)), "length"
    yield replace("examples/length", np.zeros((3,))), "integers"
    for value in (-1, 0, 10 ** 9, "x"):
        yield (lambda file, value=value:
               file["vocab/input"].attrs.modify("bos_id", value)
               if value != "x" else
               file["vocab/input"].attrs.create("bos_id", value)), "bos_id"
    yield external_link, "link"
    yield soft_link, "link"
    yield external_values, "in the file itself"
    yield virtual_values, "in the file itself"
    yield fill_value, "fill value"


def damaged_files(path, bad):
    """Writes one damaged file after the other to `bad`; yields what the message
    must hold, or None for a change that does no harm."""
    for edit, reason in [*damages(path), *damages_of_tensors(path)]:
        shutil.copyfile(path, bad)
        with h5py.File(bad, "r+") as file:
            edit(file)
        yield reason
    with open(path, "rb") as file:
        good = file.read()
    for part in range(20):
        with open(bad, "wb") as file:
            file.write(good[:len(good) * part // 20])
        yield "HDF5"
    # The old layout, which h5py writes by default.
    with h5py.File(path) as file, h5py.File(bad, "w") as copy:
        for name in file:
            file.copy(name, copy)
    yield "libver"


def limit_memory():
    """For a process to come; AddressSanitizer reserves terabytes."""
    if "ASAN_OPTIONS" not in os.environ:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))


def main(rasp_run, *paths):
    failures = refused = harmless = 0
    for path in paths:
        bad = path + ".bad.h5"
        with h5py.File(path) as file:
            vocabulary = json.loads(file["vocab/input/json"][()])
        token = json.dumps([vocabulary[0]["value"]])
        for reason in damaged_files(path, bad):
            run = subprocess.run([rasp_run, bad, token], text=True, timeout=60,
                                 capture_output=True, preexec_fn=limit_memory)
            if reason is None:
                good = run.returncode == 0
                harmless += 1
            else:
                good = (run.returncode == 2 and bad in run.stderr
                        and reason in run.stderr and not run.stdout)
                refused += good
            if not good:
                failures += 1
                print(f"{path}: expected `{reason}`, got "
                      f"{run.returncode}: {run.stdout}{run.stderr}")
        os.remove(bad)
    print(f"{refused} damaged files refused, {harmless} changes do no harm, "
          f"{failures} not as expected")
    return failures > 0 or refused < 200


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
