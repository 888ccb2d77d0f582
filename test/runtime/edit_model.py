"""edit_model.py MODEL.h5 weight NAME INDEX VALUE   sets one weight
edit_model.py MODEL.h5 labels A B                 exchanges two labels
edit_model.py MODEL.h5 names A B                  exchanges two variables
edit_model.py MODEL.h5 without PART               empties a part: residual,
                                                  certificate, program/ir_json
"""

import json
import sys

import h5py
import numpy as np


def edit_text(file, name, change):
    value = json.loads(file[name].asstr()[()])
    changed = change(value)
    del file[name]
    text = json.dumps(value if changed is None else changed)
    file[name] = np.bytes_(text.encode())


def set_weight(file, name, index, value):
    data = file["state_dict/" + name]
    weights = data[()]
    place = tuple(int(i) for i in index.split(","))
    assert weights[place] != float(value)
    weights[place] = float(value)
    data[...] = weights


def exchange(values, a, b):
    return [b if v == a else a if v == b else v for v in values]


def exchange_labels(file, a, b):
    """In all places, as somebody would who means it."""

    def in_header(header):
        labels = header["residual_labels"]
        assert a in labels and b in labels
        header["residual_labels"] = exchange(labels, a, b)

    def in_residual(residual):
        for space in residual["subspaces"]:
            own = [f"{space['name']}:{l}" if l else space["name"] for l in space["labels"]]
            space["labels"] = [l.partition(":")[2] for l in exchange(own, a, b)]

    def in_certificate(certificate):
        labels = exchange([d["label"] for d in certificate["directions"]], a, b)
        for direction, label in zip(certificate["directions"], labels):
            direction["label"] = label

    edit_text(file, "header/json", in_header)
    edit_text(file, "residual/json", in_residual)
    edit_text(file, "certificate/json", in_certificate)


def exchange_names(file, a, b):
    def in_residual(residual):
        for space in residual["subspaces"]:
            space["name"] = exchange([space["name"]], a, b)[0]

    edit_text(file, "residual/json", in_residual)


def without(file, part):
    if part == "certificate":
        del file["certificate"]
    elif part == "residual":
        edit_text(file, "residual/json", lambda residual: {})
    else:
        edit_text(file, part, lambda old: {})


with h5py.File(sys.argv[1], "r+", libver="latest") as model:
    edits = {"weight": set_weight, "labels": exchange_labels,
             "names": exchange_names, "without": without}
    edits[sys.argv[2]](model, *sys.argv[3:])
