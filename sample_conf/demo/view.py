# SPDX-License-Identifier: Apache-2.0
"""What a person sees meanwhile: the steps, each module's rates, and the pipeline where it fits."""

import time
from dataclasses import dataclass, field
from typing import Any

from besscli.pipeline import counters, rates, read_pipeline, render
from pybess import BESS
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo import books

STEPS_SHOWN = 8
GAP = 4
UNLIMITED = 10_000


@dataclass
class Reading:
    """The counters at one moment."""

    at: float
    modules: list[Any]
    books: books.Books


@dataclass
class Frame:
    """The rates between two readings."""

    modules: list[Any]
    gates: dict[tuple[str, int], float]
    rows: list[tuple[str, str, float, float, str]]
    packets: float = field(default=0.0)


def read(client: BESS) -> Reading:
    """Reads everything that is shown."""
    modules = read_pipeline(client)
    return Reading(time.monotonic(), modules, books.read(client, modules))


def compare(before: Reading, after: Reading) -> Frame:
    """What happened a second, between two readings."""
    seconds = max(after.at - before.at, 1e-9)
    old = {entry.name: entry for entry in before.books.entries}
    rows, packets = [], 0.0
    for new in after.books.entries:
        was = old.get(new.name, books.Entry(new.name))
        handled = (new.came + new.created - was.came - was.created) / seconds
        dropped = (new.dropped - was.dropped) / seconds
        reasons = [why for why, n in sorted(new.drops.items()) if n != was.drops.get(why, 0)]
        rows.append((new.name, new.mclass, handled, dropped, ", ".join(reasons)))
        packets += (new.created - was.created) / seconds
    gates = rates(counters(before.modules, "packet"), counters(after.modules, "packet"))
    return Frame(after.modules, gates, rows, packets)


def draw(frame: Frame, steps: list[str], width: int, height: int) -> RenderableType:
    """Steps and table; the picture of the pipeline beside the table where there is room for it."""
    table = rate_table(frame)
    shown = steps_shown(steps)
    picture = render(frame.modules, frame.gates, UNLIMITED)
    lines = picture.split("\n")
    picture_width = max((line.cell_len for line in lines), default=0)
    table_width = Console(width=UNLIMITED).measure(table).maximum
    if picture_width + GAP + table_width > width or len(shown) + 1 + len(lines) > height:
        return Group(*shown, Text(), table)
    both = Table.grid(padding=(0, GAP, 0, 0))
    both.add_row(picture, table)
    return Group(*shown, Text(), both)


def steps_shown(steps: list[str]) -> list[Text]:
    """The last few steps."""
    return [Text.assemble(("  ✓ ", "green"), step) for step in steps[-STEPS_SHOWN:]]


def rate_table(frame: Frame) -> Table:
    """One row a module."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("module", style="bold")
    table.add_column("class", style="dim")
    table.add_column("packets/s", justify="right", style="cyan")
    table.add_column("dropped/s", justify="right", style="yellow")
    table.add_column("why")
    for name, mclass, handled, dropped, reasons in frame.rows:
        table.add_row(name, mclass, f"{handled:,.0f}", f"{dropped:,.0f}", reasons)
    return table
