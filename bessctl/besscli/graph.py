# SPDX-License-Identifier: Apache-2.0
"""Lays a pipeline out in layers, top to bottom: which module in which layer, in which order, at
which column.

Cycles are broken at the edge that closes them; an edge over several layers gets a way point in each
layer between. Columns come from a least-squares fit: every node as near as its neighbours allow to
the middle of what it joins.
"""

from bisect import bisect_right, insort
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain

GAP = 3
SWEEPS = 12
STRAIGHT_WEIGHT = 1000.0


@dataclass
class Edge:
    """A connection, and what to write beside it."""

    src: str
    ogate: int
    dst: str
    igate: int
    label: str = ""


@dataclass
class Node:
    """A module to draw: lines of text in a box."""

    name: str
    lines: list[str]


@dataclass(eq=False)
class Cell:
    """A node or a way point of a long edge, at its place in a layer; `outs` and `ins` are the gates
    below and above, `margin` is what the text beside it takes.
    """

    node: Node | None
    width: int = 1
    margin: int = 0
    x: int = 0
    outs: dict[int, int] = field(default_factory=dict)
    ins: dict[int, int] = field(default_factory=dict)


@dataclass
class Hop:
    """A piece of an edge between neighbouring layers, from a gate of the upper cell to a gate of
    the lower one.
    """

    upper: Cell
    upper_gate: int
    lower: Cell
    lower_gate: int
    label: str
    label_below: bool
    arrow_down: bool = False
    arrow_up: bool = False


@dataclass
class Layout:
    """Layers of cells with their columns, and for each gap between two layers its hops."""

    layers: list[list[Cell]]
    hops: list[list[Hop]]
    loops: dict[str, list[Edge]]


def lay_out(nodes: list[Node], edges: list[Edge]) -> Layout:
    """Places the nodes of one picture."""
    loops: dict[str, list[Edge]] = {}
    for edge in edges:
        if edge.src == edge.dst:
            loops.setdefault(edge.src, []).append(edge)
    straight = [edge for edge in edges if edge.src != edge.dst]
    backward = _closing_edges([node.name for node in nodes], straight)
    ranks = _ranks([node.name for node in nodes], straight, backward)
    layers, hops = _cells(nodes, straight, backward, ranks)
    for cell in chain.from_iterable(layers):
        if cell.node is not None:
            cell.margin = len(loops_text(loops.get(cell.node.name, [])))
    _order(layers, hops)
    _size_boxes(layers, hops)
    _place(layers, hops)
    return Layout(layers, hops, loops)


def loops_text(loops: list[Edge]) -> str:
    """What to write beside a box whose gates lead back to it."""
    return "↺" + ",".join(f"{loop.ogate}:{loop.igate}" for loop in loops) if loops else ""


def _closing_edges(names: list[str], edges: list[Edge]) -> set[int]:
    """The edges (by index) that close a cycle, found depth first from the sources."""
    outgoing: dict[str, list[int]] = {name: [] for name in names}
    for index, edge in enumerate(edges):
        outgoing[edge.src].append(index)
    targets = {edge.dst for edge in edges}
    starts = [name for name in names if name not in targets] + names
    state: dict[str, int] = {}
    closing: set[int] = set()
    for start in starts:
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(outgoing[start]))]
        while stack:
            name, remaining = stack[-1]
            index = next(remaining, -1)
            if index < 0:
                state[name] = 2
                stack.pop()
            elif state.get(edges[index].dst) == 1:
                closing.add(index)
            elif edges[index].dst not in state:
                state[edges[index].dst] = 1
                stack.append((edges[index].dst, iter(outgoing[edges[index].dst])))
    return closing


def _ranks(names: list[str], edges: list[Edge], backward: set[int]) -> dict[str, int]:
    """The layer of each node: under everything that leads to it; sources right above what they
    feed.
    """
    pairs = [(e.dst, e.src) if i in backward else (e.src, e.dst) for i, e in enumerate(edges)]
    ranks = dict.fromkeys(names, 0)
    below: dict[str, list[str]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for upper, lower in pairs:
        below[upper].append(lower)
        waiting[lower] += 1
    sources = [name for name in names if not waiting[name]]
    ready = list(sources)
    while ready:
        name = ready.pop()
        for lower in below[name]:
            ranks[lower] = max(ranks[lower], ranks[name] + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    for name in sources:
        if below[name]:
            ranks[name] = min(ranks[lower] for lower in below[name]) - 1
    return ranks


def _cells(
    nodes: list[Node], edges: list[Edge], backward: set[int], ranks: dict[str, int]
) -> tuple[list[list[Cell]], list[list[Hop]]]:
    depth = max(ranks.values(), default=-1) + 1
    layers: list[list[Cell]] = [[] for _ in range(depth)]
    hops: list[list[Hop]] = [[] for _ in range(max(0, depth - 1))]
    cells = {node.name: Cell(node) for node in nodes}
    for node in nodes:
        layers[ranks[node.name]].append(cells[node.name])
    for index, edge in enumerate(edges):
        reverse = index in backward
        top, bottom = (edge.dst, edge.src) if reverse else (edge.src, edge.dst)
        top_gate, bottom_gate = (edge.igate, edge.ogate) if reverse else (edge.ogate, edge.igate)
        upper, gate = cells[top], _gate_key(top_gate, reverse)
        upper.outs[gate] = 0
        for rank in range(ranks[top], ranks[bottom]):
            is_last = rank + 1 == ranks[bottom]
            lower = cells[bottom] if is_last else Cell(None)
            lower_gate = _gate_key(bottom_gate, reverse) if is_last else 0
            lower.ins[lower_gate] = 0
            first = rank == ranks[top]
            labelled = is_last if reverse else first
            hop = Hop(
                upper, gate, lower, lower_gate, edge.label if labelled else "", label_below=reverse
            )
            hop.arrow_down, hop.arrow_up = is_last and not reverse, first and reverse
            hops[rank].append(hop)
            if not is_last:
                layers[rank + 1].append(lower)
                lower.outs[0] = 0
            upper, gate = lower, 0
    return layers, hops


def _gate_key(gate: int, reverse: bool) -> int:
    """Gates of edges drawn upwards are on the other side of the box; negative keys keep them apart."""
    return -1 - gate if reverse else gate


def gate_number(key: int) -> int:
    """The gate behind a key of Cell.outs or Cell.ins."""
    return -1 - key if key < 0 else key


def _order(layers: list[list[Cell]], hops: list[list[Hop]]) -> None:
    """Orders each layer by the mean position of its neighbours, sweeping down and up, and keeps the
    best.
    """
    best, best_crossings = [list(layer) for layer in layers], _crossings(layers, hops)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for index in range(len(hops)) if down else reversed(range(len(hops))):
            _order_layer(layers, hops[index], index, down)
        crossings = _crossings(layers, hops)
        if crossings < best_crossings:
            best, best_crossings = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best):
        layer[:] = order


def _order_layer(layers: list[list[Cell]], hops: list[Hop], index: int, down: bool) -> None:
    fixed, moving = (
        (layers[index], layers[index + 1]) if down else (layers[index + 1], layers[index])
    )
    position = {id(cell): float(place) for place, cell in enumerate(fixed)}
    near: dict[int, list[float]] = {}
    for hop in hops:
        here, there, gate = (
            (hop.lower, hop.upper, hop.upper_gate)
            if down
            else (hop.upper, hop.lower, hop.lower_gate)
        )
        near.setdefault(id(here), []).append(position[id(there)] + gate * 1e-4)
    places = {id(cell): float(place) for place, cell in enumerate(moving)}
    moving.sort(
        key=lambda cell: sum(near[id(cell)]) / len(near[id(cell)])
        if id(cell) in near
        else places[id(cell)]
    )


def _crossings(layers: list[list[Cell]], hops: list[list[Hop]]) -> int:
    total = 0
    for index, between in enumerate(hops):
        upper = {id(cell): place for place, cell in enumerate(layers[index])}
        lower = {id(cell): place for place, cell in enumerate(layers[index + 1])}
        lines = sorted(
            (upper[id(h.upper)], h.upper_gate, lower[id(h.lower)], h.lower_gate) for h in between
        )
        ends = [(line[2], line[3]) for line in lines]
        passed: list[tuple[int, int]] = []
        for end in ends:
            total += len(passed) - bisect_right(passed, end)
            insort(passed, end)
    return total


def _size_boxes(layers: list[list[Cell]], hops: list[list[Hop]]) -> None:
    """Sets the offsets of each cell's gates, in the order of gate numbers, and the width they and
    the text need.
    """
    labels: dict[tuple[int, int, bool], int] = {}
    for between in hops:
        for hop in between:
            key = (
                (id(hop.lower), hop.lower_gate, True)
                if hop.label_below
                else (id(hop.upper), hop.upper_gate, False)
            )
            labels[key] = max(labels.get(key, 0), len(hop.label))
    for layer in layers:
        for cell in layer:
            if cell.node is not None:
                text = max(map(len, cell.node.lines)) + 4
                below = _gate_widths(cell, cell.outs, labels, False)
                above = _gate_widths(cell, cell.ins, labels, True)
                cell.width = max(text, sum(below) + 3, sum(above) + 3) | 1
                _spread(cell.outs, below, cell.width)
                _spread(cell.ins, above, cell.width)


def _gate_widths(
    cell: Cell, gates: dict[int, int], labels: dict[tuple[int, int, bool], int], above: bool
) -> list[int]:
    digits = max((len(str(gate_number(gate))) for gate in gates), default=0)
    spacing = digits + (1 if digits == 1 else 2)
    ordered = sorted(gates, key=gate_number)
    widths = [max(spacing, labels.get((id(cell), gate, above), 0) + 2) for gate in ordered]
    if len(widths) == 1:
        return [2 * widths[0] - 1]
    return widths


def _spread(gates: dict[int, int], widths: list[int], width: int) -> None:
    """Spaces gates evenly over a box; one gate alone sits in the middle."""
    ordered = sorted(gates, key=gate_number)
    if len(ordered) == 1:
        gates[ordered[0]] = width // 2
        return
    spare = max(0, width - 3 - sum(widths)) / max(1, len(ordered))
    offset = 2.0 + spare / 2
    for gate, needed in zip(ordered, widths):
        gates[gate] = int(offset)
        offset += needed + spare


def _place(layers: list[list[Cell]], hops: list[list[Hop]]) -> None:
    for layer in layers:
        _fit(layer, [0.0] * len(layer))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for index in range(len(layers)) if down else reversed(range(len(layers))):
            _pull(layers, hops, index, both=sweep >= SWEEPS // 2)
    _straighten(layers, hops)
    left = min((cell.x for layer in layers for cell in layer), default=0)
    for layer in layers:
        for cell in layer:
            cell.x -= left


def _pull(layers: list[list[Cell]], hops: list[list[Hop]], index: int, both: bool) -> None:
    """Moves a layer towards what it joins in the layer above and, if asked for both, in the one
    below.
    """
    wishes: dict[int, list[float]] = {id(cell): [] for cell in layers[index]}
    if index > 0:
        for hop in hops[index - 1]:
            wishes[id(hop.lower)].append(
                hop.upper.x + hop.upper.outs[hop.upper_gate] - hop.lower.ins[hop.lower_gate]
            )
    if index < len(hops) and (both or index == 0):
        for hop in hops[index]:
            wishes[id(hop.upper)].append(
                hop.lower.x + hop.lower.ins[hop.lower_gate] - hop.upper.outs[hop.upper_gate]
            )
    cells = layers[index]
    _fit(
        cells,
        [sum(wishes[id(c)]) / len(wishes[id(c)]) if wishes[id(c)] else float(c.x) for c in cells],
    )


def _straighten(layers: list[list[Cell]], hops: list[list[Hop]]) -> None:
    """Puts every node with one way in right below what leads to it, if that leads nowhere else."""
    for index, between in enumerate(hops):
        outs = Counter(id(hop.upper) for hop in between)
        ins = Counter(id(hop.lower) for hop in between)
        wanted = {id(cell): float(cell.x) for cell in layers[index + 1]}
        weights = dict.fromkeys(wanted, 1.0)
        for hop in between:
            if outs[id(hop.upper)] == ins[id(hop.lower)] == 1:
                column = hop.upper.x + hop.upper.outs[hop.upper_gate]
                wanted[id(hop.lower)] = float(column - hop.lower.ins[hop.lower_gate])
                weights[id(hop.lower)] = STRAIGHT_WEIGHT
        _fit(layers[index + 1], list(wanted.values()), list(weights.values()))


def _fit(layer: list[Cell], wanted: list[float], weights: list[float] | None = None) -> None:
    """The columns nearest to the wanted ones that keep order and distance: isotonic regression by
    pooling.
    """
    blocks: list[tuple[float, float, int]] = []
    offsets: list[int] = []
    offset = 0
    for cell, wish, weight in zip(layer, wanted, weights or [1.0] * len(layer)):
        offsets.append(offset)
        mean, count = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            previous, its_weight, members = blocks.pop()
            mean = (mean * weight + previous * its_weight) / (weight + its_weight)
            weight += its_weight
            count += members
        blocks.append((mean, weight, count))
        offset += cell.width + cell.margin + GAP
    columns = [mean for mean, _, count in blocks for _ in range(count)]
    for cell, column, start in zip(layer, columns, offsets):
        cell.x = round(column) + start
