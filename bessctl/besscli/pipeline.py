# SPDX-License-Identifier: Apache-2.0
"""A daemon's pipeline as a picture, or as a list where the terminal is too small for one."""

from typing import Any

from rich.text import Text

from besscli.graph import Edge, Node
from besscli.picture import draw
from besscli.values import count

_FIELDS = {"packet": "pkts", "batch": "cnt", "bit": "bytes"}
_DESCRIPTION_WIDTH = 28

Gate = tuple[str, int]
Counters = dict[Gate, tuple[float, float]]


def read_pipeline(client: Any) -> list[Any]:
    """What the daemon tells about every module."""
    return [client.get_module_info(module.name) for module in client.list_modules().modules]


def counters(modules: list[Any], unit: str) -> Counters:
    """For each output gate where the unit is counted: when, and how much has passed."""
    scale = 8 if unit == "bit" else 1
    return {
        (module.name, gate.ogate): (gate.timestamp, getattr(gate, _FIELDS[unit]) * scale)
        for module in modules
        for gate in module.ogates
        if gate.timestamp and not (unit == "bit" and _lacks_bits(gate))
    }


def _lacks_bits(gate: Any) -> bool:
    """Whether packets passed a gate that counts no bits; each would count for 24 bytes at least."""
    return bool(gate.pkts and not gate.bytes)


def remark(modules: list[Any], unit: str) -> str:
    """What to say where bits are asked for and not counted, or nothing."""
    gates = [gate for module in modules for gate in module.ogates if gate.timestamp]
    if unit != "bit" or not any(map(_lacks_bits, gates)):
        return ""
    where = " at some gates" if any(gate.bytes for gate in gates) else ""
    return f"bits are not counted{where}; `track bit enable`"


def totals(modules: list[Any], unit: str) -> dict[Gate, float]:
    """What has passed each output gate that is counted."""
    return {gate: amount for gate, (_, amount) in counters(modules, unit).items()}


def rates(before: Counters, after: Counters) -> dict[Gate, float]:
    """What passed each gate in a second, between two readings; nothing if counting began anew."""
    return {
        gate: (amount - before[gate][1]) / (time - before[gate][0])
        for gate, (time, amount) in after.items()
        if gate in before and time > before[gate][0] and amount >= before[gate][1]
    }


def render(
    modules: list[Any], amounts: dict[Gate, float], width: int, height: int | None = None
) -> Text:
    """The pipeline with an amount beside each edge that has one; drawn if that fits, else listed."""
    nodes, edges = shape(modules, amounts)
    picture = draw(nodes, edges)
    if picture.width > width or (height is not None and len(picture.lines) > height):
        return _list(nodes, edges)
    lines = [Text(line) for line in picture.lines]
    for row, start, end in picture.names:
        lines[row].stylize("bold", start, end)
    for row, start, end in picture.labels:
        lines[row].stylize("cyan", start, end)
    return Text("\n").join(lines)


def shape(modules: list[Any], amounts: dict[Gate, float]) -> tuple[list[Node], list[Edge]]:
    """The boxes and connections of a picture."""
    nodes = [Node(module.name, _lines(module)) for module in modules]
    edges = [
        Edge(module.name, gate.ogate, gate.name, gate.igate, _label(amounts, module, gate))
        for module in modules
        for gate in module.ogates
    ]
    return nodes, edges


def _label(amounts: dict[Gate, float], module: Any, gate: Any) -> str:
    amount = amounts.get((module.name, gate.ogate))
    return "" if amount is None else count(amount)


def _lines(module: Any) -> list[str]:
    lines = [module.name, module.mclass]
    if module.desc:
        fits = len(module.desc) <= _DESCRIPTION_WIDTH
        lines.append(module.desc if fits else module.desc[: _DESCRIPTION_WIDTH - 1] + "…")
    return lines


def _list(nodes: list[Node], edges: list[Edge]) -> Text:
    """One line a module, one a connection."""
    text = Text()
    for node in nodes:
        text.append(node.name, "bold").append("  ".join(["", *node.lines[1:]]) + "\n")
        outgoing = [edge for edge in edges if edge.src == node.name]
        for edge in outgoing:
            branch = "╰" if edge is outgoing[-1] else "├"
            text.append(f"  {branch}─{edge.ogate}──▶ {edge.igate}:{edge.dst}")
            text.append(f"  {edge.label}".rstrip() + "\n", "cyan")
    text.rstrip()
    return text
