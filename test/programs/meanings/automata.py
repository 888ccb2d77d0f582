"""Programs in which every place looks at its neighbourhood: automata, boards,
graphs."""

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


def rule(number, cells, cyclic):
    n = len(cells)
    at = lambda i: cells[i % n] if cyclic or 0 <= i < n else 0
    return [number >> (4 * at(i - 1) + 2 * at(i) + at(i + 1)) & 1 for i in range(n)]


def steps(number, x, times, cyclic=False):
    cells = [int(token) for token in x]
    for _ in range(times):
        cells = rule(number, cells, cyclic)
    return cells


@means
def rule_30(x):
    return steps(30, x, 1)


@means
def rule_30_four_steps(x):
    return steps(30, x, 4)


@means
def rule_90_cyclic(x):
    return steps(90, x, 3, cyclic=True)


@means
def rule_110(x):
    return steps(110, x, 3)


@means
def rule_110_cyclic(x):
    return steps(110, x, 2, cyclic=True)


@means
def rule_184_traffic(x):
    cells = [token == ">" for token in x]
    return [">" if cell else "." for cell in steps(184, cells, 2, cyclic=True)]


@means
def smoothing(x):
    at = lambda i: x[i] if 0 <= i < len(x) else x[min(max(i, 0), len(x) - 1)]
    return ["01"[(at(i - 1) + x[i] + at(i + 1)).count("1") > 1] for i in range(len(x))]


def neighbours(i, n, torus):
    row, column = divmod(i, 4)
    found = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = row + down, column + right
            if torus:
                r, c = r % 4, c % 4
            if (down or right) and 0 <= r < 4 and 0 <= c < 4 and 4 * r + c < n:
                found.append(4 * r + c)
    return found


def life(cells, torus):
    result = []
    for i, cell in enumerate(cells):
        alive = sum(cells[j] for j in neighbours(i, len(cells), torus))
        result.append(int(alive == 3 or (cell and alive == 2)))
    return result


@MEANINGS.tried_on(lambda rng, p: rng.choices([0, 1], k=16))
@means
def game_of_life(x):
    return life(x, torus=False)


@MEANINGS.tried_on(lambda rng, p: rng.choices([0, 1], k=16))
@means
def game_of_life_two_steps(x):
    return life(life(x, torus=False), torus=False)


@MEANINGS.tried_on(lambda rng, p: rng.choices([0, 1], k=16))
@means
def game_of_life_torus(x):
    return life(x, torus=True)


@means
def spreading_fire(x):
    cells = list(x)
    for _ in range(3):
        cells = [
            "f" if c == "t" and "f" in cells[max(0, i - 1) : i + 2] else c
            for i, c in enumerate(cells)
        ]
    return cells


@MEANINGS.tried_on(lambda rng, p: rng.choices("xo.", k=9))
@means
def tic_tac_toe(x):
    rows = [x[i : i + 3] for i in (0, 3, 6)]
    lines = rows + list(zip(*rows)) + [x[0:9:4], x[2:8:2]]
    won = lambda player: len(x) == 9 and any(set(line) == {player} for line in lines)
    x_won, o_won = won("x"), won("o")
    names = {(True, True): "both", (True, False): "x", (False, True): "o"}
    return everywhere(names.get((x_won, o_won), "-"), x)


@means
def sudoku_row(x):
    return everywhere(sorted(x) == [1, 2, 3, 4], x)


def sudoku_board(rng, program):
    swap = rng.sample([1, 2, 3, 4], 4)
    board = [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]
    cells = [swap[digit - 1] for row in board for digit in row]
    if rng.random() < 0.6:
        cells[rng.randrange(16)] = rng.randint(1, 4)
    return cells


@MEANINGS.tried_on(sudoku_board)
@means
def sudoku_4x4(x):
    if len(x) != 16:
        return everywhere(False, x)
    rows = [x[i : i + 4] for i in range(0, 16, 4)]
    boxes = [x[i : i + 2] + x[i + 4 : i + 6] for i in (0, 2, 8, 10)]
    groups = rows + [list(column) for column in zip(*rows)] + boxes
    return everywhere(all(sorted(group) == [1, 2, 3, 4] for group in groups), x)


@means
def sudoku_conflicts(x):
    def group(i):
        row, column = divmod(i, 4)
        return {("r", row), ("c", column), ("b", row // 2, column // 2)}

    return [
        any(x[i] == x[j] and group(i) & group(j) and i != j for j in range(len(x)))
        for i in range(len(x))
    ]


@MEANINGS.tried_on(lambda rng, p: rng.sample(range(1, 1 + (n := rng.randint(2, 6))), n))
@means
def queens(x):
    return [
        any(
            i != j and (x[i] == x[j] or abs(x[i] - x[j]) == abs(i - j))
            for j in range(len(x))
        )
        for i in range(len(x))
    ]


@means
def vertex_degree(x):
    # The tokens are the ends of the edges; a loop counts twice.
    return [x.count(vertex) for vertex in x]


@means
def out_degree(x):
    return [x[::2].count(vertex) for vertex in x]


@means
def reachable_from_a(x):
    reached = {"a"}
    for _ in range(3):
        reached |= {b for a, b in zip(x[::2], x[1::2]) if a in reached}
    return [vertex in reached for vertex in x]


@means
def has_triangle(x):
    edges = {frozenset(edge) for edge in zip(x[::2], x[1::2])}
    triangle = [frozenset("ab"), frozenset("bc"), frozenset("ac")]
    return everywhere(all(edge in edges for edge in triangle), x)


@means
def robot_walk(x):
    steps = {"r": 1, "l": -1, "u": 1j, "d": -1j}
    return everywhere(sum(steps[token] for token in x) == 0, x)


@means
def rock_paper_scissors(x):
    beats = {"r": "s", "s": "p", "p": "r"}
    results = {True: "won", False: "lost"}
    played = [
        "draw" if mine == other else results[beats[mine] == other]
        for mine, other in zip(x, x[1:])
    ]
    return played + ["-"]


@means
def minesweeper(x):
    result = []
    for i, cell in enumerate(x):
        mines = sum(x[j] == "*" for j in neighbours(i, len(x), torus=False))
        result.append("*" if cell == "*" else str(mines))
    return result
