# SPDX-License-Identifier: Apache-2.0
"""`monitor`: rates, redrawn every second until a key is pressed; without a terminal, one sample."""

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from besscli.errors import CommandError
from besscli.keys import key_within, single_keys
from besscli.pipeline import counters, rates, read_pipeline, render
from besscli.shell import Shell, command, make_table
from besscli.values import count

INTERVAL = 1.0
_UNITS = {"packet": "packets/s", "batch": "batches/s", "bit": "bits/s"}


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
        heading = Text(f"{time.strftime('%H:%M:%S')}  {_UNITS[chosen]}\n", "dim")
        return heading.append_text(drawn)

    _watch(shell, sample)


@command("monitor port [PORT...]", "shows the rates of ports until a key is pressed")
def monitor_port(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    chosen = names or [port.name for port in client.list_ports().ports]
    if not chosen:
        raise CommandError("there are no ports to monitor")
    before = {name: client.get_port_stats(name) for name in chosen}

    def sample() -> RenderableType:
        nonlocal before
        after = {name: client.get_port_stats(name) for name in chosen}
        rows = [[name, *port_rates(before[name], after[name])] for name in chosen]
        before = after
        right = ("rx pps", "rx bps", "rx drops/s", "tx pps", "tx bps", "tx drops/s")
        return make_table(["port", *right], rows, right)

    _watch(shell, sample)


@command("monitor tc [TC...]", "shows the rates of traffic classes until a key is pressed")
def monitor_tc(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    statuses = client.list_tcs().classes_status
    chosen = names or [getattr(status, "class").name for status in statuses]
    if not chosen:
        raise CommandError("there are no traffic classes to monitor")
    before = {name: client.get_tc_stats(name) for name in chosen}

    def sample() -> RenderableType:
        nonlocal before
        after = {name: client.get_tc_stats(name) for name in chosen}
        rows = [[name, *tc_rates(before[name], after[name])] for name in chosen]
        before = after
        right = ("runs/s", "cycles/s", "pps", "bps", "cycles/packet")
        return make_table(["traffic class", *right], rows, right)

    _watch(shell, sample)


def tc_rates(before: Any, after: Any) -> list[str]:
    """Runs, cycles, packets and bits a second, and cycles a packet, between two readings."""
    seconds = after.timestamp - before.timestamp
    if seconds <= 0:
        return ["-"] * 5
    fields = ("count", "cycles", "packets", "bits")
    grown = {name: getattr(after, name) - getattr(before, name) for name in fields}
    per_packet = count(round(grown["cycles"] / grown["packets"], 1)) if grown["packets"] else "-"
    return [*(count(round(grown[name] / seconds, 1)) for name in fields), per_packet]


def port_rates(before: Any, after: Any) -> list[str]:
    """Packets, bits and drops a second, in and out, between two readings."""
    seconds = after.timestamp - before.timestamp
    if seconds <= 0:
        return ["-"] * 6
    cells = []
    for old, new in ((before.inc, after.inc), (before.out, after.out)):
        differences = (
            new.packets - old.packets,
            8 * (new.bytes - old.bytes),
            new.dropped - old.dropped,
        )
        cells += [count(round(difference / seconds, 1)) for difference in differences]
    return cells


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
