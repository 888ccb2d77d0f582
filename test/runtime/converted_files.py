"""converted_files.py MODEL.h5...: what rasp-convert writes holds the same tensors
and texts, to the bit, for readers that know nothing of ours.

safetensors are read with the standard library and NumPy alone, by the format's
own rules; .npz with numpy.load.
"""

import json
import pathlib
import subprocess
import sys

import h5py
import numpy as np


def read_safetensors(path):
    """The tensors and the metadata; the format's rules are checked."""
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    assert data[8:9] == b"{" and start % 8 == 0
    names = json.JSONDecoder(object_pairs_hook=no_duplicates).decode(data[8:start].decode())
    metadata, tensors, at = names.pop("__metadata__"), {}, 0
    assert all(isinstance(text, str) for text in metadata.values())
    for name, entry in sorted(names.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == at, "tensors have no gaps between them"
        numbers = np.frombuffer(data[start + begin : start + end],
                                {"F32": "<f4", "F64": "<f8"}[entry["dtype"]])
        tensors[name], at = numbers.reshape(entry["shape"]), end
    assert start + at == len(data)
    return tensors, metadata


def no_duplicates(pairs):
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def read_npz(path):
    """The tensors; all else as text, labels as a list."""
    with np.load(path) as file:
        arrays = dict(file)
    metadata = {name: array for name, array in arrays.items() if array.dtype.kind == "U"}
    for name in metadata:
        del arrays[name]
    metadata = {name: text.tolist() for name, text in metadata.items()}
    metadata["labels"] = json.dumps(metadata["labels"])
    return arrays, metadata


def for_bridge(state):
    """The tensors of a torch.nn.Linear, [out, in], with the heads side by side:
    said once more, by what they compute."""
    out = {}
    for name, w in state.items():
        module, part = name.rsplit(".", 1)
        if part in ("W_Q", "W_K", "W_V"):
            out[f"{module}.{part[2].lower()}.weight"] = np.concatenate([head.T for head in w])
        elif part in ("b_Q", "b_K", "b_V"):
            out[f"{module}.{part[2].lower()}.bias"] = np.concatenate(list(w))
        elif part == "W_O":
            out[f"{module}.o.weight"] = np.concatenate([head.T for head in w], axis=1)
        elif part == "b_O":
            out[f"{module}.o.bias"] = w
        elif part in ("W_in", "W_out"):
            out[f"{module}.{part[2:]}.weight"] = w.T
        elif part in ("b_in", "b_out"):
            out[f"{module}.{part[2:]}.bias"] = w
        else:
            out[f"{module}.{'bias' if part == 'b_U' else 'weight'}"] = w.T if part == "W_U" else w
    return out


def check(model, workdir):
    with h5py.File(model) as file:
        state = {name: data[()] for name, data in file["state_dict"].items()}
        labels = list(file["residual/labels"].asstr())
        texts = {
            "format": file.attrs["format"],
            "format_version": str(file.attrs["format_version"]),
            "created_by": file.attrs["created_by"],
            "tl_config": file.attrs["tl_config"],
            "residual": file["residual/json"].asstr()[()],
            "circuit": file["circuit/json"].asstr()[()],
            "program": file["program/rasp"].asstr()[()],
            "source_sha256": file.attrs["source_sha256"],
            "state_sha256": file.attrs["state_sha256"],
        }
        vocab = {
            "input": {
                "bos_id": int(file["vocab/input"].attrs["bos_id"]),
                "pad_id": int(file["vocab/input"].attrs["pad_id"]),
                "tokens": json.loads(file["vocab/input/json"].asstr()[()]),
            },
            "output": json.loads(file["vocab/output/json"].asstr()[()]),
        }
    for layout, expected in (("tl", state), ("tl-bridge", for_bridge(state))):
        for ending, read in ((".safetensors", read_safetensors), (".npz", read_npz)):
            path = workdir / f"{model.stem}.{layout}{ending}"
            subprocess.run(["rasp-convert", model, "-o", path, f"--layout={layout}"], check=True)
            tensors, metadata = read(path)
            assert tensors.keys() == expected.keys(), tensors.keys() ^ expected.keys()
            for name, tensor in tensors.items():
                assert tensor.dtype == expected[name].dtype, name
                assert np.array_equal(tensor, expected[name]), name
            assert json.loads(metadata.pop("labels")) == labels
            assert json.loads(metadata.pop("vocab")) == vocab
            assert metadata == texts


workdir = pathlib.Path(sys.argv[1])
for model in map(pathlib.Path, sys.argv[2:]):
    check(model, workdir)
print(f"{len(sys.argv) - 2} models are the same in other formats")
