# SPDX-License-Identifier: Apache-2.0
"""`monitor`: rates, redrawn every second until a key is pressed; without a terminal, one sample."""

import csv
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from besscli.errors import CommandError
from besscli.keys import key_within, single_keys
from besscli.pipeline import counters, rates, read_pipeline, remark, render
from besscli.shell import Shell, command, make_table
from besscli.values import count

INTERVAL = 1.0
NOTHING = math.nan
_UNITS = {"packet": "packets/s", "batch": "batches/s", "bit": "bits/s (on the wire)"}


@dataclass
class Row:
    """A line of a table of rates: its name, what stands for it on the screen, and its numbers, of
    which NOTHING is one that cannot be told yet.
    """

    name: str
    numbers: list[float]
    label: str = ""

    def cells(self) -> list[str]:
        """As an operator reads it."""
        shown = ["-" if math.isnan(n) else count(round(n, 1)) for n in self.numbers]
        return [self.label or self.name, *shown]


@command(
    "monitor pipeline [packet|batch|bit]",
    "draws the pipeline with live rates until a key is pressed",
)
def monitor_pipeline(shell: Shell, unit: str | None) -> None:
    chosen = unit or "packet"
    client = shell.daemon()
    before = counters(read_pipeline(client), chosen)

    def sample() -> RenderableType:
        nonlocal before
        modules = read_pipeline(client)
        after = counters(modules, chosen)
        drawn = render(modules, rates(before, after), shell.console.width, _height(shell) - 1)
        before = after
        said = f"{time.strftime('%H:%M:%S')}  {_UNITS[chosen]}  {remark(modules, chosen)}"
        heading = Text(f"{said.rstrip()}\n", "dim")
        return heading.append_text(drawn)

    _watch(shell, sample)


@command("monitor port [PORT...]", "shows the rates of ports until a key is pressed")
def monitor_port(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    chosen = names or [port.name for port in client.list_ports().ports]
    if not chosen:
        raise CommandError("there are no ports to monitor")
    before = {name: client.get_port_stats(name) for name in chosen}

    def sample() -> list[Row]:
        nonlocal before
        after = {name: client.get_port_stats(name) for name in chosen}
        rows = [Row(name, port_rates(before[name], after[name])) for name in chosen]
        before = after
        return rows

    bits = "bps (frames)"
    columns = ["port", "rx pps", f"rx {bits}", "rx drops/s", "tx pps", f"tx {bits}", "tx drops/s"]
    watch_table(shell, columns, sample)


def port_rates(before: Any, after: Any) -> list[float]:
    """Packets, bits and drops a second, in and out, between two readings."""
    seconds = after.timestamp - before.timestamp
    if seconds <= 0:
        return [NOTHING] * 6
    numbers: list[float] = []
    for old, new in ((before.inc, after.inc), (before.out, after.out)):
        packets, dropped = new.packets - old.packets, new.dropped - old.dropped
        numbers += [packets / seconds, 8 * (new.bytes - old.bytes) / seconds, dropped / seconds]
    return numbers


def watch_table(shell: Shell, columns: list[str], sample: Callable[[], list[Row]]) -> None:
    """Shows rows until a key is pressed; if $CSV names a file, their numbers go there as well."""
    path = os.environ.get("CSV")
    # A line at a time, for whoever reads on while this goes on.
    with open(path or os.devnull, "w", encoding="utf-8", newline="", buffering=1) as file:
        log = csv.writer(file)
        log.writerow(["time", *columns])

        def draw() -> RenderableType:
            rows = sample()
            log.writerows([f"{time.time():.3f}", row.name, *row.numbers] for row in rows)
            return make_table(columns, [row.cells() for row in rows], tuple(columns[1:]))

        _watch(shell, draw)


def _watch(shell: Shell, sample: Callable[[], RenderableType]) -> None:
    if not (sys.stdin.isatty() and shell.console.is_terminal):
        time.sleep(INTERVAL)
        shell.console.print(sample())
        return
    with single_keys(), Live(
        Text("…"), console=shell.console, auto_refresh=False, screen=True
    ) as live:
        while not key_within(INTERVAL):
            live.update(sample(), refresh=True)


def _height(shell: Shell) -> int:
    """The lines of a terminal; without one there is no end to them."""
    return shell.console.height if shell.console.is_terminal else sys.maxsize
