# SPDX-License-Identifier: Apache-2.0
"""Draws a laid-out pipeline as SVG, with the same places for everything as the picture of text has.

All text is escaped: names come from whoever made the modules.
"""

from dataclasses import dataclass, field
from html import escape

from besscli.graph import Cell, Edge, Hop, Node, gate_number, lay_out

CHARACTER, LINE, GAP, MARGIN = 8.6, 18, 64, 12
BOX_PADDING = 14
LEAD = 22
STYLE = """
svg { font: 14px ui-monospace, 'DejaVu Sans Mono', monospace; color: #1c2733; }
rect { fill: #fff; stroke: #5b7083; rx: 6px; }
text { fill: currentColor; text-anchor: middle; }
.name { font-weight: bold; } .detail { fill: #5b7083; } .gate { fill: #5b7083; font-size: 10px; }
.label { fill: #0b63b5; text-anchor: start; paint-order: stroke; stroke: #f4f6f8; stroke-width: 4px; }
path { fill: none; stroke: #a9b7c4; stroke-width: 1.5px; } path.flows { stroke: #2e86de; }
marker path { fill: context-stroke; stroke: none; }
@media (prefers-color-scheme: dark) {
  svg { color: #e3e9ef; } rect { fill: #22303c; stroke: #8da2b5; }
  .detail, .gate { fill: #a9b7c4; } .label { fill: #7ec0ff; stroke: #151d24; }
}
"""
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
    ' markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker>'
)


@dataclass
class _Sheet:
    """What is drawn so far: wires lie under boxes, boxes under texts."""

    wires: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def write(self, x: float, y: float, kind: str, text: str) -> None:
        self.texts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>')


def draw(nodes: list[Node], edges: list[Edge]) -> str:
    """The pipeline as one SVG element."""
    layout = lay_out(nodes, edges)
    sheet = _Sheet()
    width, top = 0.0, float(MARGIN)
    for index, layer in enumerate(layout.layers):
        lines = max((len(cell.node.lines) for cell in layer if cell.node), default=0)
        bottom = top + lines * LINE + 2 * BOX_PADDING
        for cell in layer:
            width = max(width, _x(cell, cell.width))
            if cell.node is None:
                sheet.wires.append(_path(_x(cell, 0), top, _x(cell, 0), bottom, ""))
            else:
                _draw_box(sheet, cell, top, bottom, layout.loops.get(cell.node.name, []))
        for hop in layout.hops[index] if index < len(layout.hops) else []:
            _draw_hop(sheet, hop, bottom, bottom + GAP)
        top = bottom + GAP
    height = top - GAP + MARGIN
    size = f'width="{width + 6 * MARGIN:.0f}" height="{max(height, 0):.0f}"'
    body = "\n".join([*sheet.wires, *sheet.boxes, *sheet.texts])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style><defs>{_ARROW}</defs>'
    return f"{head}\n{body}\n</svg>"


def _x(cell: Cell, offset: float) -> float:
    return MARGIN + (cell.x + offset) * CHARACTER


def _draw_box(sheet: _Sheet, cell: Cell, top: float, bottom: float, loops: list[Edge]) -> None:
    assert cell.node is not None
    left, width = _x(cell, 0), cell.width * CHARACTER
    place = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{bottom - top:.1f}"'
    sheet.boxes.append(f"<rect {place}/>")
    for number, line in enumerate(cell.node.lines):
        kind = "detail" if number else "name"
        sheet.write(left + width / 2, top + BOX_PADDING + (number + 0.75) * LINE, kind, line)
    for gates, y in ((cell.ins, top + 11), (cell.outs, bottom - 4)):
        for gate, offset in gates.items():
            sheet.write(_x(cell, offset + 0.5), y, "gate", str(gate_number(gate)))
    if loops:
        text = "↺ " + ", ".join(f"{loop.ogate}:{loop.igate} {loop.label}".strip() for loop in loops)
        sheet.write(left + width + 4, (top + bottom) / 2, "label", text)


def _draw_hop(sheet: _Sheet, hop: Hop, top: float, bottom: float) -> None:
    start = _x(hop.upper, hop.upper.outs[hop.upper_gate] + (0.5 if hop.upper.node else 0))
    end = _x(hop.lower, hop.lower.ins[hop.lower_gate] + (0.5 if hop.lower.node else 0))
    arrows = (
        ' marker-end="url(#arrow)"' * hop.arrow_down + ' marker-start="url(#arrow)"' * hop.arrow_up
    )
    sheet.wires.append(_path(start, top, end, bottom, arrows + _flow(hop.label)))
    if hop.label:
        x, y = (end, bottom - 14) if hop.label_below else (start, top + 18)
        sheet.write(x + 6, y, "label", hop.label)


def _flow(label: str) -> str:
    return ' class="flows"' if label not in ("", "0") else ""


def _path(x1: float, y1: float, x2: float, y2: float, more: str) -> str:
    """A curve that begins straight, where the label stands."""
    start = y1 + LEAD
    middle = (start + y2) / 2
    curve = f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
    return f'<path d="M{x1:.1f} {y1:.1f}V{start:.1f}{curve}"{more}/>'
