# SPDX-License-Identifier: Apache-2.0
"""Draws a laid-out pipeline with box characters.

Gate numbers sit in the border of a box where their edge meets it; the packets of an edge stand
beside its first row. Edges into one input gate join before it; edges that merely cross do not
touch.
"""

import functools
from dataclasses import dataclass, field

from besscli.graph import Cell, Edge, Hop, Layout, Node, gate_number, lay_out, loops_text

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


@dataclass(eq=False)
class _Bar:
    """A horizontal piece of wire, and the columns in which wires come down to it and leave it. Wires
    from above come from the layer above, or from another bar of the same net.
    """

    tops: set[int]
    bottoms: set[int]
    above: "_Bar | None" = None
    below: "_Bar | None" = None
    track: int = 0

    @functools.cached_property
    def span(self) -> tuple[int, int]:
        columns = self.tops | self.bottoms
        return min(columns), max(columns)


@dataclass
class _Net:
    """The hops of one gap that share a gate: one wire with several beginnings, or ends. It has one
    bar, two where it had to be taken around another net, or none if it is straight.
    """

    hops: list[Hop]
    tops: list[int]
    bottoms: list[int]
    bars: list[_Bar] = field(default_factory=list)

    @property
    def is_straight(self) -> bool:
        return set(self.tops) == set(self.bottoms)


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
    canvas.write(row + 1, cell.x + cell.width, loops_text(loops))


def _draw_gap(canvas: _Canvas, picture: Picture, layout: Layout, index: int, row: int) -> int:
    """Draws the wires between two layers and returns the row of the lower one."""
    nets = _nets(layout.hops[index])
    tracks = _route(nets)
    has_above = any(hop.label and not hop.label_below for hop in layout.hops[index])
    has_below = any(hop.label and hop.label_below for hop in layout.hops[index])
    first_track = (
        row + 1 if has_above or any(hop.arrow_up for net in nets for hop in net.hops) else row
    )
    last = first_track + tracks + (1 if has_below else 0)
    for number, net in enumerate(nets):
        _draw_net(canvas, number, net, (row, first_track, last))
        _draw_ends(canvas, picture, net, row, last)
    return last + 1


def _nets(hops: list[Hop]) -> list[_Net]:
    """Edges that are drawn downwards join above the input gate they share, others below it."""
    nets: dict[tuple[int, int], _Net] = {}
    for hop in hops:
        cell, gate = (
            (hop.upper, hop.upper_gate) if hop.upper_gate < 0 else (hop.lower, hop.lower_gate)
        )
        net = nets.setdefault((id(cell), gate), _Net([], [], []))
        net.hops.append(hop)
        net.tops.append(hop.upper.x + hop.upper.outs[hop.upper_gate])
        net.bottoms.append(hop.lower.x + hop.lower.ins[hop.lower_gate])
    return list(nets.values())


def _route(nets: list[_Net]) -> int:
    """Gives each bent wire a row, or two, such that no two wires overlap; returns the number of
    rows.
    """
    bent = [net for net in nets if not net.is_straight]
    for net in bent:
        net.bars = [_Bar(set(net.tops), set(net.bottoms))]
    _break_cycles(bent, {column for net in nets for column in (*net.tops, *net.bottoms)})
    return _assign_tracks([bar for net in bent for bar in net.bars])


def _break_cycles(nets: list[_Net], taken: set[int]) -> None:
    """Where bars would all have to be above each other, splits the widest in two, joined in a column
    that nothing else is in: its upper one may be above the others and its lower one below.
    """
    net_of = {net.bars[0]: net for net in nets}
    cycle = _find_cycle(_musts(list(net_of)))
    while cycle:
        bar = max(cycle, key=lambda bar: (bar.span[1] - bar.span[0], bar.span))
        column = _free_column(bar.span, taken)
        taken.add(column)
        upper = _Bar(bar.tops, {column})
        upper.below = _Bar({column}, bar.bottoms, above=upper)
        net_of.pop(bar).bars = [upper, upper.below]
        cycle = _find_cycle(_musts(list(net_of)))


def _free_column(span: tuple[int, int], taken: set[int]) -> int:
    """The column for a split wire: off all that go up or down and with room beside it, and as near
    as can be to the middle of what it joins.
    """
    crowded = {column + beside for column in taken for beside in (-1, 0, 1)}
    free = set(range(max(crowded) + 2)) - crowded
    return min(free, key=lambda column: (abs(2 * column - sum(span)), column))


def _musts(bars: list[_Bar]) -> dict[_Bar, list[_Bar]]:
    """For each bar those that have to be above it, lest two vertical pieces lie on each other."""
    comes_down = {column: bar for bar in bars for column in bar.tops if not bar.above}
    musts: dict[_Bar, list[_Bar]] = {}
    for bar in bars:
        found = (comes_down.get(column) for column in sorted(bar.bottoms))
        musts[bar] = [other for other in (bar.above, *found) if other and other is not bar]
    return musts


def _find_cycle(musts: dict[_Bar, list[_Bar]]) -> list[_Bar]:
    """Bars each of which has to be below the next, and the last below the first, if there are any."""
    sound: set[_Bar] = set()
    for start in musts:
        path = [start]
        while path:
            following = next((bar for bar in musts[path[-1]] if bar not in sound), None)
            if following is None:
                sound.add(path.pop())
            elif following in path:
                return path[path.index(following) :]
            else:
                path.append(following)
    return []


def _assign_tracks(bars: list[_Bar]) -> int:
    """Puts bars side by side into as few rows as there have to be; returns the number of rows."""
    waiting = sorted(bars, key=lambda bar: bar.span)
    must = _musts(waiting)
    should = {bar: {other for other in waiting if _should_be_above(other, bar)} for bar in waiting}
    track = 0
    while waiting:
        left = set(waiting)
        allowed = [bar for bar in waiting if left.isdisjoint(must[bar])]
        best = [bar for bar in allowed if left.isdisjoint(should[bar])] or allowed[:1]
        taken_until = -2
        for bar in best:
            if bar.span[0] > taken_until + 1:
                bar.track = track
                taken_until = bar.span[1]
                left.remove(bar)
        waiting = [bar for bar in waiting if bar in left]
        track += 1
    return track


def _should_be_above(bar: _Bar, other: _Bar) -> bool:
    return bar is not other and _crossings(bar, other) < _crossings(other, bar)


def _crossings(upper: _Bar, lower: _Bar) -> int:
    """How often two wires cross if one turns above the other."""
    start, end = upper.span
    first, last = lower.span
    if end < first or last < start:
        return 0
    down = sum(start <= top <= end for top in lower.tops)
    return down + sum(first <= bottom <= last for bottom in upper.bottoms)


def _draw_net(canvas: _Canvas, number: int, net: _Net, rows: tuple[int, int, int]) -> None:
    """Draws a net between a top row and a bottom row; the row of track 0 is the middle one."""
    top, first_track, bottom = rows
    for bar in net.bars:
        track = first_track + bar.track
        start = first_track + bar.above.track + 1 if bar.above else top
        end = track if bar.below else bottom
        _draw_bar(canvas, number, bar, (start, track, end))
    if net.is_straight:
        for row in range(top, bottom + 1):
            canvas.wire(number, row, net.tops[0], UP | DOWN)


def _draw_bar(canvas: _Canvas, number: int, bar: _Bar, rows: tuple[int, int, int]) -> None:
    """Draws a bar in the middle row, with what comes down to it from the first row and goes from it
    to the last.
    """
    start, track, end = rows
    left, right = bar.span
    for column in range(left, right):
        canvas.wire(number, track, column, RIGHT)
        canvas.wire(number, track, column + 1, LEFT)
    for column in bar.tops:
        for row in range(start, track):
            canvas.wire(number, row, column, UP | DOWN)
        canvas.wire(number, track, column, UP)
    for column in bar.bottoms:
        canvas.wire(number, track, column, DOWN)
        for row in range(track + 1, end + 1):
            canvas.wire(number, row, column, UP | DOWN)


def _draw_ends(canvas: _Canvas, picture: Picture, net: _Net, top: int, bottom: int) -> None:
    for hop, above, below in zip(net.hops, net.tops, net.bottoms):
        if hop.arrow_down:
            canvas.write(bottom, below, "▼")
        if hop.arrow_up:
            canvas.write(top, above, "▲")
        if hop.label:
            row, beside = (bottom, below) if hop.label_below else (top, above)
            canvas.write(row, beside + 1, hop.label)
            picture.labels.append((row, beside + 1, beside + 1 + len(hop.label)))


def _wire_character(nets: dict[int, int]) -> str:
    """What a cell shows; two nets are in one only where they cross, and the upright one covers the
    other.
    """
    return _LINES[next(iter(nets.values()))] if len(nets) == 1 else "│"


def _join(row: dict[int, str]) -> str:
    return "".join(row.get(column, " ") for column in range(max(row) + 1)).rstrip() if row else ""
