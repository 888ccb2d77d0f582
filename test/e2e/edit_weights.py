"""edit_weights.py MODEL.h5: makes the model of `reverse` answer with the next
token of the vocabulary wherever it would answer with the first."""

import sys

import h5py

with h5py.File(sys.argv[1], "r+") as file:
    weights = file["state_dict/unembed.W_U"]
    columns = weights[()]
    columns[:, [0, 1]] = columns[:, [1, 0]]
    weights[...] = columns
