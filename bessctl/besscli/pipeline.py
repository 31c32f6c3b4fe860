# SPDX-License-Identifier: Apache-2.0
"""A daemon's pipeline as a picture, or as a list where the terminal is too narrow for one."""

from typing import Any

from rich.text import Text

from besscli.graph import Edge, Node
from besscli.picture import Picture, draw
from besscli.values import count

_FIELDS = {"packet": "pkts", "batch": "cnt", "bit": "bytes"}
_DESCRIPTION_WIDTH = 28

Counters = dict[tuple[str, int], tuple[float, float]]


def read_pipeline(client: Any) -> list[Any]:
    """What the daemon tells about every module."""
    return [client.get_module_info(module.name) for module in client.list_modules().modules]


def counters(modules: list[Any], unit: str) -> Counters:
    """For each output gate that is counted: when, and how much has passed."""
    scale = 8 if unit == "bit" else 1
    return {
        (module.name, gate.ogate): (gate.timestamp, getattr(gate, _FIELDS[unit]) * scale)
        for module in modules
        for gate in module.ogates
        if gate.timestamp
    }


def rates(before: Counters, after: Counters) -> dict[tuple[str, int], float]:
    """What passed each gate in a second, between two readings."""
    return {
        gate: (amount - before[gate][1]) / (time - before[gate][0])
        for gate, (time, amount) in after.items()
        if gate in before and time > before[gate][0]
    }


def picture_of(
    modules: list[Any], unit: str, rate: dict[tuple[str, int], float] | None = None
) -> Picture:
    """Draws a pipeline with totals, or with rates, beside its edges."""
    amounts = (
        {gate: amount for gate, (_, amount) in counters(modules, unit).items()}
        if rate is None
        else rate
    )
    nodes = [Node(module.name, _lines(module)) for module in modules]
    edges = [
        Edge(
            m.name,
            g.ogate,
            g.name,
            g.igate,
            count(amounts[m.name, g.ogate]) if (m.name, g.ogate) in amounts else "",
        )
        for m in modules
        for g in m.ogates
    ]
    return draw(nodes, edges)


def _lines(module: Any) -> list[str]:
    lines = [module.name, module.mclass]
    if module.desc:
        lines.append(
            module.desc
            if len(module.desc) <= _DESCRIPTION_WIDTH
            else module.desc[: _DESCRIPTION_WIDTH - 1] + "…"
        )
    return lines


def render(picture: Picture, modules: list[Any], width: int) -> Text:
    """The picture with its colours, or a list of connections if it does not fit."""
    if picture.width > width:
        return _list(modules)
    lines = [Text(line) for line in picture.lines]
    for row, start, end in picture.names:
        lines[row].stylize("bold", start, end)
    for row, start, end in picture.labels:
        lines[row].stylize("cyan", start, end)
    return Text("\n").join(lines)


def _list(modules: list[Any]) -> Text:
    text = Text()
    for module in modules:
        text.append(module.name, "bold").append(f" {module.mclass}  {module.desc}".rstrip() + "\n")
        for position, gate in enumerate(module.ogates):
            branch = "╰" if position == len(module.ogates) - 1 else "├"
            text.append(f"  {branch}─{gate.ogate}──▶ {gate.igate}:{gate.name}")
            text.append(f"  {count(gate.pkts)}\n" if gate.timestamp else "\n", "cyan")
    text.rstrip()
    return text
