"""swap_values.py MODEL.h5 VARIABLE: exchanges the first two values of a variable in
what the file says of its residual directions."""

import json
import sys

import h5py

path, variable = sys.argv[1:]
with h5py.File(path, "r+", libver="latest") as file:
    described = json.loads(file["residual/json"].asstr()[()])
    for space in described["subspaces"]:
        if space["name"] == variable:
            values = space["values"]
            values[0], values[1] = values[1], values[0]
    text = json.dumps(described).encode()
    del file["residual/json"]
    file["residual"].create_dataset("json", data=text, dtype=f"S{len(text)}")
