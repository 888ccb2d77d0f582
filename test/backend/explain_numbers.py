"""Whether what `raspc --explain` tells agrees with the model file.

    explain_numbers.py PROGRAM.rasp [OPTION...]

Explains every op of the program's IR. Values, coordinates, hidden units, heads,
ranks, readers and parameters are counted again, from the weights and from what
the file says of them.
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
import numpy


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def sections(story):
    """By title, the lines of each section."""
    result, title = {}, "head"
    for line in story.splitlines():
        if line.startswith("  "):
            result.setdefault(title, []).append(line[2:])
        else:
            title = line
    return result


def number(lines, pattern):
    """The groups of the first match, as numbers; none without one."""
    for line in lines:
        if match := re.match(pattern, line):
            return tuple(int(group) for group in match.groups())
    return None


class Model:
    def __init__(self, path):
        with h5py.File(path) as file:
            self.residual = json.loads(file["residual/json"][()])
            self.graph = json.loads(file["circuit/json"][()])
            self.nodes = json.loads(file["program/ir_json"][()])["nodes"]
            self.labels = list(file["residual/labels"].asstr())
            self.number_directions()
            self.weights = {name: file["state_dict"][name][()]
                            for name in file["state_dict"]}
            config = json.loads(file.attrs["tl_config"])
        self.context = config["n_ctx"]
        self.heads, self.units = {}, {}
        for layer in range(config["n_layers"]):
            def of(name):
                return self.weights[f"blocks.{layer}.{name}"]

            for head in range(config["n_heads"]):
                out = numpy.abs(of("attn.W_O")[head]).sum(axis=0)
                key = (numpy.abs(of("attn.W_K")[head]).sum(axis=0) +
                       numpy.abs(of("attn.b_K")[head]))
                if out.any():
                    self.heads[layer, head] = (
                        self.written(out.nonzero()[0], 2 * layer + 1),
                        int((key > 0).sum()),
                        int((numpy.abs(of("attn.W_O")[head]).sum(axis=1) > 0)
                            .sum()))
            for unit, row in enumerate(of("mlp.W_out")):
                if row.any() and (layer, unit) not in self.clearing:
                    self.units[layer, unit] = self.written(row.nonzero()[0],
                                                           2 * layer + 2)

    def number_directions(self):
        """Directions in the order of subspaces. Several may have one
        coordinate, one after the other."""
        self.spaces, self.clearing, self.width = [], set(), 0
        self.tenants = [[] for _ in self.labels]
        for space in self.residual["subspaces"]:
            end = space.get("cleared_in_half_layer", math.inf)
            units = space.get("clearing_units")
            begin = self.width
            for i, coordinate in enumerate(range(*space["range"])):
                own = units[i] if units else []
                self.tenants[coordinate].append((end, self.width, len(own)))
                self.clearing |= {(end // 2 - 1, unit) for unit in own}
                self.width += 1
            self.spaces.append((space, set(range(begin, self.width))))
        for tenants in self.tenants:
            tenants.sort()

    def written(self, coordinates, half):
        return {next(number for end, number, _ in self.tenants[c] if end > half)
                for c in coordinates}

    def spaces_of(self, name, is_token):
        return [(space, numbers) for space, numbers in self.spaces
                if space["name"] == ("tokens" if is_token else name)
                and space["role"] != "bookkeeping"]

    def readers(self, own):
        """By the subspaces, as the circuit calls them."""
        for space, numbers in self.spaces:
            for hook in space["readers"] if numbers & own else []:
                layer, head = (re.findall(r"\d+", hook) + [None, None])[:2]
                yield ("END" if hook == "unembed" else
                       f"A{layer}.{head}" if head else f"M{layer}")

    def parameters(self, gone=frozenset()):
        """The counts that there may be without some directions: where scores
        are small, d_head need not be a square."""
        heads = [(layer, rank, len(written - gone))
                 for (layer, _), (written, rank, _) in self.heads.items()
                 if written - gone]
        units = [layer for (layer, _), written in self.units.items()
                 if written - gone]
        layers = max([1] + [layer + 1 for layer, *_ in heads] +
                     [layer + 1 for layer in units])
        d = 0
        for tenants in self.tenants:
            # What comes before one that is left is cleared for it, where that
            # was cleared, or what came between.
            left = [i for i, (_, number, _) in enumerate(tenants)
                    if number not in gone]
            d += bool(left)
            for before, after in zip(left, left[1:]):
                units += [tenants[after - 1][0] // 2 - 1] * tenants[before][2]

        def widest(used):
            return max([1] + [used.count(layer) for layer in used])

        rank = max([1] + [max(rank, moved) for _, rank, moved in heads])
        m = widest(units)
        vocab = self.weights["embed.W_E"].shape[0]
        for k in {rank, (math.isqrt(rank - 1) + 1) ** 2}:
            head = 3 * (d * k + k) + k * d
            yield ((vocab + self.context) * d + layers *
                   (widest([layer for layer, *_ in heads]) * head + d +
                    2 * d * m + m + d))


def check(model, node, story, total):
    told = sections(story)
    problems = []

    def expect(what, seen, wanted):
        if seen != wanted:
            problems.append(f"{what}: {seen}, but {wanted} in the file")

    is_sop = node["type"] == "value"
    is_token = node["op"].startswith("tokens")
    if is_sop and "value_count" in node:
        expect("values", number(told["values"], r"(\d+): "),
               (node["value_count"],))
    if is_sop:
        own = {d for _, numbers in model.spaces_of(node["name"], is_token)
               for d in numbers}
    else:
        own = set()
        for line in told["computed by"]:
            if match := re.match(r"head (\d+)\.(\d+) .*rank (\d+), moves (\d+)",
                                 line):
                layer, head, rank, moved = (int(g) for g in match.groups())
                written, ranks, _ = model.heads[layer, head]
                own |= written
                expect("rank", rank, ranks)
                expect("moved", moved, len(written))
        expect("heads", {f"A{c[0]}.{c[1]}" for line in told["computed by"]
                         for c in re.findall(r"^head (\d+)\.(\d+)", line)} >=
               set(node.get("components", [])), True)
    cost = told["cost"]
    if not own:
        expect("cost", cost[0].startswith("nothing"), True)
        return problems
    for line in told.get("encoding", []):
        if match := re.match(r"dim (\d+) +(\S+)", line):
            at = int(match[1])
            expect("label", match[2] in [label.split(" ")[0] for label in
                                         model.labels[at].split(" > ")], True)
            expect("own", bool({n for _, n, _ in model.tenants[at]} & own), True)
    expect("directions", number(cost, r"(\d+) of (\d+) direction"),
           (len(own), model.width))
    writing = [w for w in model.units.values() if w & own]
    if writing:
        expect("hidden units", number(cost, r"(\d+) of (\d+) hidden"),
               (len(writing), len(model.units)))
        alone = sum(w <= own for w in writing)
        if alone < len(writing):
            expect("alone", number(cost, r".* hidden units?, (\d+) of which"),
                   (alone,))
    else:
        expect("hidden units", number(cost, r"(\d+) of (\d+) hidden"), None)
    alone = [rank for w, rank, _ in model.heads.values() if w <= own]
    expect("heads", number(cost, r"(\d+) of (\d+) head.* rank (\d+)"),
           (len(alone), len(model.heads), sum(alone)) if alone else None)
    less, whole = number(cost, r"(\d+) of (\d+) parameter")
    expect("parameters", whole, total)
    rest = list(model.parameters(own))
    if whole - less not in rest:
        problems.append(f"{less} parameters, but {rest} are left of {whole}")

    # Who reads.
    readers = set(model.readers(own))
    shown = set()
    for line in told["read by"]:
        if match := re.match(r"head (\d+\.\d+) ", line):
            shown.add("A" + match[1])
        elif match := re.match(r"the MLP of layer (\d+),", line):
            shown.add("M" + match[1])
        elif line.startswith("the unembedding"):
            shown.add("END")
    if not told["read by"][-1].startswith("..."):
        expect("readers", sorted(shown), sorted(readers))
    return problems


def main():
    program, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "model.h5")
        stats = json.loads(run("raspc", program, *options, "-o", path,
                               "--stats=json"))
        model = Model(path)
    if stats["parameters"] not in model.parameters():
        sys.exit("the parameters of the whole are counted in another way")
    count = bad = 0
    for node in model.nodes:
        story = run("raspc", program, *options, f"--explain={node['name']}")
        count += 1
        for problem in check(model, node, story, stats["parameters"]):
            bad += 1
            print(f"{node['name']}: {problem}")
    print(f"{pathlib.Path(program).stem}: {count} explained, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
