"""dump_json.py WHOLE PARTS: the JSON of rasp-dump for `reverse`."""

import json
import sys

whole, parts = (json.load(open(path)) for path in sys.argv[1:])

assert whole["model"] == "reverse" and whole["as_labelled"] and not whole["problems"]
assert whole["summary"].endswith("19 directions; all as labelled")
assert [d["label"] for d in whole["dims"]][:3] == ["bos", "tokens:d", "tokens:e"]
assert all(d["verdict"] == "as labelled" for d in whole["dims"])
flip = whole["layers"][1]["heads"][0]
(selection,) = flip["selections"]
assert selection["selector"] == "flip" and selection["source_lines"] == [20]
assert selection["keys"] == {"compares": ["indices"], "values": [[i] for i in range(5)]}
assert selection["selects"] == ["#....", ".#...", "..#..", "...#.", "....#"]
assert flip["logits"]["selected_over_others"] == 256 and flip["logits"]["never_empty"]
assert [m["label"] for m in flip["moves"]] == [f"reverse:{c}" for c in "dehlorw"]
assert flip["moves"][0]["value"] == {
    "constant": 0, "terms": [{"dim": 1, "label": "tokens:d", "weight": 1}]}
(group,) = whole["layers"][0]["groups"]
(length,) = group["functions"]
assert group["neurons"] == [0, 1, 2, 3] and group["read"] == ["length:1/(w+1)"]
assert length["inputs"] == [{"name": "length", "size": 5, "values": [1, 2, 3, 4, 5],
                             "types": ["int"] * 5}]
assert length["values"] == [1, 2, 3, 4, 5]
assert all(abs(n - i) < 1e-5 for i, n in enumerate(length["numbers"][0]))
assert [logit["value"] for logit in whole["unembedding"]["logits"]] == list("dehlorw")
assert whole["unembedding"]["margin"] == 1

(head,), (neuron,), (dim,) = parts["heads"], parts["neurons"], parts["dims"]
assert head["weights"]["W_Q"][1] == {"constant": -768, "terms": []}
assert {t["label"]: t["weight"] for t in head["weights"]["W_Q"][0]["terms"]} == {
    "bos": -1536, "indices": -1536, "length": 1536}
assert len(head["weights"]["W_O"]) == 7
assert neuron["input"]["constant"] == 2
assert [p > 0 for p in neuron["preactivations"]] == [False, False, True, True, True]
assert dim["label"] == "length" and len(dim["writers"]) == 4
assert dim["readers"] == [{"component": "head 1.0", "place": "W_Q column 0", "weight": 1536}]
