# SPDX-License-Identifier: Apache-2.0
"""Draws a laid-out pipeline with box characters.

Gate numbers sit in the border of a box where their edge meets it; the packets of an edge stand
beside its first row. Edges into one input gate join before it; edges that merely cross do not
touch.
"""

import functools
from dataclasses import dataclass, field

from besscli.graph import Cell, Edge, Hop, Layout, Node, gate_number, lay_out

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_LINES = {
    UP: "│",
    DOWN: "│",
    UP | DOWN: "│",
    LEFT: "─",
    RIGHT: "─",
    LEFT | RIGHT: "─",
    DOWN | RIGHT: "╭",
    DOWN | LEFT: "╮",
    UP | RIGHT: "╰",
    UP | LEFT: "╯",
    UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤",
    LEFT | RIGHT | DOWN: "┬",
    LEFT | RIGHT | UP: "┴",
    UP | DOWN | LEFT | RIGHT: "┼",
}


@dataclass
class Picture:
    """Lines of text, and where in them the names of modules and the labels of edges are (line,
    start, end).
    """

    lines: list[str]
    names: list[tuple[int, int, int]]
    labels: list[tuple[int, int, int]]

    @property
    def width(self) -> int:
        return max(map(len, self.lines), default=0)


@dataclass
class _Net:
    """The hops of one gap that end in the same gate below: one wire with several beginnings."""

    hops: list[Hop]
    bottom: int
    tops: list[int]
    track: int = 0

    @property
    def is_straight(self) -> bool:
        return self.tops == [self.bottom]

    @functools.cached_property
    def span(self) -> tuple[int, int]:
        return min([self.bottom, *self.tops]), max([self.bottom, *self.tops])


@dataclass
class _Canvas:
    """A growing grid of characters and wires."""

    text: dict[tuple[int, int], str] = field(default_factory=dict)
    wires: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)

    def write(self, row: int, column: int, text: str) -> None:
        for index, character in enumerate(text):
            self.text[row, column + index] = character

    def wire(self, net: int, row: int, column: int, directions: int) -> None:
        at = self.wires.setdefault((row, column), {})
        at[net] = at.get(net, 0) | directions

    def lines(self) -> list[str]:
        cells = {place: _wire_character(nets) for place, nets in self.wires.items()} | self.text
        rows: dict[int, dict[int, str]] = {}
        for (row, column), character in cells.items():
            rows.setdefault(row, {})[column] = character
        height = max(rows, default=-1) + 1
        return [_join(rows.get(row, {})) for row in range(height)]


def draw(nodes: list[Node], edges: list[Edge]) -> Picture:
    """The picture of a pipeline."""
    layout = lay_out(nodes, edges)
    canvas = _Canvas()
    picture = Picture([], [], [])
    row = 0
    for index, layer in enumerate(layout.layers):
        height = max((len(cell.node.lines) for cell in layer if cell.node), default=0) + 2
        for cell in layer:
            if cell.node is None:
                _draw_way_point(canvas, cell, row, height)
            else:
                _draw_box(canvas, picture, cell, row, height, layout.loops.get(cell.node.name, []))
        row += height
        if index < len(layout.hops):
            row = _draw_gap(canvas, picture, layout, index, row)
    picture.lines = canvas.lines()
    return picture


def _draw_way_point(canvas: _Canvas, cell: Cell, row: int, height: int) -> None:
    for offset in range(height):
        canvas.wire(id(cell), row + offset, cell.x, UP | DOWN)


def _draw_box(
    canvas: _Canvas, picture: Picture, cell: Cell, row: int, height: int, loops: list[Edge]
) -> None:
    assert cell.node is not None
    inner = cell.width - 2
    canvas.write(row, cell.x, "┌" + "─" * inner + "┐")
    for offset in range(1, height - 1):
        canvas.write(row + offset, cell.x, "│" + " " * inner + "│")
    canvas.write(row + height - 1, cell.x, "└" + "─" * inner + "┘")
    for offset, line in enumerate(cell.node.lines):
        start = cell.x + 1 + (inner - len(line)) // 2
        canvas.write(row + 1 + offset, start, line)
        if offset == 0:
            picture.names.append((row + 1, start, start + len(line)))
    for gates, border in ((cell.ins, row), (cell.outs, row + height - 1)):
        for gate, offset in gates.items():
            number = str(gate_number(gate))
            canvas.write(border, cell.x + offset - (len(number) - 1) // 2, number)
    if loops:
        canvas.write(
            row + 1,
            cell.x + cell.width,
            "↺" + ",".join(f"{loop.ogate}:{loop.igate}" for loop in loops),
        )


def _draw_gap(canvas: _Canvas, picture: Picture, layout: Layout, index: int, row: int) -> int:
    """Draws the wires between two layers and returns the row of the lower one."""
    nets = _nets(layout.hops[index])
    tracks = _assign_tracks(nets)
    has_above = any(hop.label and not hop.label_below for hop in layout.hops[index])
    has_below = any(hop.label and hop.label_below for hop in layout.hops[index])
    first_track = (
        row + 1 if has_above or any(hop.arrow_up for net in nets for hop in net.hops) else row
    )
    last = first_track + tracks + (1 if has_below else 0)
    for number, net in enumerate(nets):
        _draw_net(canvas, number, net, row, first_track + net.track, last)
        _draw_ends(canvas, picture, net, row, last)
    return last + 1


def _nets(hops: list[Hop]) -> list[_Net]:
    nets: dict[tuple[int, int], _Net] = {}
    for hop in hops:
        key = (id(hop.lower), hop.lower_gate)
        if key not in nets:
            nets[key] = _Net([], hop.lower.x + hop.lower.ins[hop.lower_gate], [])
        nets[key].hops.append(hop)
        nets[key].tops.append(hop.upper.x + hop.upper.outs[hop.upper_gate])
    return list(nets.values())


def _assign_tracks(nets: list[_Net]) -> int:
    """Gives each bent wire a row such that wires side by side do not overlap; returns the number of
    rows.
    """
    waiting = sorted((net for net in nets if not net.is_straight), key=lambda net: net.span)
    must = {
        id(net): {id(other) for other in waiting if _must_be_above(other, net)} for net in waiting
    }
    should = {
        id(net): {id(other) for other in waiting if _should_be_above(other, net)} for net in waiting
    }
    track = 0
    while waiting:
        left = {id(net) for net in waiting}
        allowed = [net for net in waiting if not must[id(net)] & left] or waiting[:1]
        best = [net for net in allowed if not should[id(net)] & left] or allowed[:1]
        taken_until = -2
        placed = set()
        for net in best:
            if net.span[0] > taken_until + 1:
                net.track = track
                taken_until = net.span[1]
                placed.add(id(net))
        waiting = [net for net in waiting if id(net) not in placed]
        track += 1
    return track


def _must_be_above(net: _Net, other: _Net) -> bool:
    """Whether two vertical pieces would lie on each other if `other` turned first."""
    return net is not other and other.bottom in net.tops


def _should_be_above(net: _Net, other: _Net) -> bool:
    return net is not other and _crossings(net, other) < _crossings(other, net)


def _crossings(upper: _Net, lower: _Net) -> int:
    """How often two wires cross if one turns above the other."""
    start, end = upper.span
    first, last = lower.span
    if end < first or last < start:
        return 0
    return sum(start <= top <= end for top in lower.tops) + (first <= upper.bottom <= last)


def _draw_net(canvas: _Canvas, number: int, net: _Net, top: int, track: int, bottom: int) -> None:
    for column in net.tops:
        end = bottom if net.is_straight else track
        for row in range(top, end):
            canvas.wire(number, row, column, UP | DOWN)
        canvas.wire(number, end, column, UP)
    if net.is_straight:
        canvas.wire(number, bottom, net.bottom, DOWN)
        return
    left, right = net.span
    for column in range(left, right):
        canvas.wire(number, track, column, RIGHT)
        canvas.wire(number, track, column + 1, LEFT)
    canvas.wire(number, track, net.bottom, DOWN)
    for row in range(track + 1, bottom + 1):
        canvas.wire(number, row, net.bottom, UP | DOWN)


def _draw_ends(canvas: _Canvas, picture: Picture, net: _Net, top: int, bottom: int) -> None:
    for hop, column in zip(net.hops, net.tops):
        if hop.arrow_down:
            canvas.write(bottom, net.bottom, "▼")
        if hop.arrow_up:
            canvas.write(top, column, "▲")
        if hop.label:
            row, beside = (bottom, net.bottom) if hop.label_below else (top, column)
            canvas.write(row, beside + 1, hop.label)
            picture.labels.append((row, beside + 1, beside + 1 + len(hop.label)))


def _wire_character(nets: dict[int, int]) -> str:
    if len(nets) == 1:
        return _LINES[next(iter(nets.values()))]
    together = 0
    for directions in nets.values():
        together |= directions
    is_crossing = all(directions in (UP | DOWN, LEFT | RIGHT) for directions in nets.values())
    return "│" if is_crossing and together & UP else _LINES[together]


def _join(row: dict[int, str]) -> str:
    return "".join(row.get(column, " ") for column in range(max(row) + 1)).rstrip() if row else ""
