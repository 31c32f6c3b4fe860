# SPDX-License-Identifier: Apache-2.0
"""The books: what became of every packet, module by module, and whether it adds up."""

import time
from dataclasses import dataclass, field
from typing import Any

from besscli.pipeline import read_pipeline
from pybess import BESS
from rich.console import Console
from rich.table import Table

SETTLE_SECONDS = 3.0


@dataclass
class Entry:
    """One module: what came in, from other modules or as new, and what went out or ended."""

    name: str
    mclass: str = ""
    came: int = 0
    created: int = 0
    went: int = 0
    consumed: int = 0
    held: int = 0
    drops: dict[str, int] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        return sum(self.drops.values())

    @property
    def missing(self) -> int:
        """What came in and is not accounted for; 0 when no packet is on its way."""
        ended = self.consumed + self.dropped + self.held
        return self.came + self.created - self.went - ended


@dataclass
class Books:
    """The whole switch."""

    entries: list[Entry]
    totals: Any

    @property
    def add_up(self) -> bool:
        """Whether every packet is accounted for, in each module and in all."""
        return self.totals.unaccounted == 0 and not any(entry.missing for entry in self.entries)

    def entry(self, name: str) -> Entry:
        """The page of one module."""
        return next(entry for entry in self.entries if entry.name == name)


def read(client: BESS, modules: list[Any] | None = None) -> Books:
    """Reads the books; the packets between modules are those that Track counts on each gate."""
    modules = read_pipeline(client) if modules is None else modules
    ledger = client.get_ledger()
    entries = {module.name: Entry(module.name, module.mclass) for module in in_order(modules)}
    for module in modules:
        for gate in module.ogates:
            entries[module.name].went += gate.pkts
            entries[gate.name].came += gate.pkts
    for page in ledger.modules:
        if page.name in entries:
            entry = entries[page.name]
            entry.created, entry.consumed, entry.held = page.created, page.consumed, page.held
            entry.drops = {drop.reason: drop.packets for drop in page.drops}
    return Books(list(entries.values()), ledger.totals)


def in_order(modules: list[Any]) -> list[Any]:
    """The modules as packets meet them, each before what it sends to where that can be."""
    by_name = {module.name: module for module in modules}
    firsts = [module.name for module in modules if not module.igates]
    waiting, seen = [*reversed(by_name), *reversed(firsts)], dict[str, Any]()
    while waiting:
        module = by_name[waiting.pop()]
        if module.name not in seen:
            seen[module.name] = module
            waiting += [gate.name for gate in reversed(module.ogates)]
    return list(seen.values())


def settle(client: BESS) -> Books:
    """Reads the books once the packets on their way have arrived; gives them a bounded time."""
    deadline = time.monotonic() + SETTLE_SECONDS
    books = read(client)
    while not books.add_up and time.monotonic() < deadline:
        time.sleep(0.05)
        books = read(client)
    return books


def show(books: Books, console: Console) -> None:
    """Prints the table and the sentence people want: does it add up?"""
    console.print(table(books))
    totals = books.totals
    parts = f"{totals.created:,} received = {totals.consumed:,} sent + {totals.dropped:,} dropped"
    if totals.held:
        parts += f" + {totals.held:,} held"
    if books.add_up:
        console.print(f"The books add up: {parts}.", style="green", highlight=False)
        return
    console.print(
        f"The books do NOT add up: {parts} leaves {totals.unaccounted:,} packets.", style="bold red"
    )
    for entry in books.entries:
        if entry.missing:
            console.print(f"  {entry.name}: {entry.missing:,} packets missing", style="red")


def table(books: Books) -> Table:
    """One row a module, with what it took in from the wire, passed on, sent and dropped."""
    result = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    result.add_column("module")
    result.add_column("class", style="dim")
    for column in ("received", "passed on", "sent", "dropped"):
        result.add_column(column, justify="right")
    result.add_column("why")
    for entry in books.entries:
        numbers = (entry.created, entry.went, entry.consumed, entry.dropped)
        result.add_row(entry.name, entry.mclass, *map(_number, numbers), _reasons(entry.drops))
    totals = books.totals
    sums = (totals.created, 0, totals.consumed, totals.dropped)
    result.add_row("total", "", *map(_number, sums), "", style="bold", end_section=True)
    return result


def _number(value: int) -> str:
    return f"{value:,}" if value else ""


def _reasons(drops: dict[str, int]) -> str:
    return ", ".join(f"{reason} {packets:,}" for reason, packets in sorted(drops.items()))
