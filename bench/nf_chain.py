# SPDX-License-Identifier: Apache-2.0
"""A chain of network functions that share a core: what it costs that each is a process."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from demo.daemon import Daemon, beside
from nf_rates import ROUNDS
from nf_sleepers import attached
from bounded import Figure, fresh_daemon
from worker_clock import Sample, best_rate, first_core, pause

LENGTH = 6
SETTLE_SECONDS = 0.3
LIFETIME = 3600  # seconds; they are ended before


def build(daemon: Daemon, client: Any) -> list[str]:
    """Packets that go through all network functions and end; nobody sends to a full ring."""
    paths = [str(daemon.directory / f"nf{i}") for i in range(LENGTH)]
    client.pause_all()
    client.create_module("Source", "sender")
    for i, path in enumerate(paths):
        port = {"path": path, "trusted": True, "backpressure": True}
        client.create_port("NFPort", f"nf{i}", port)
        client.create_module("PortOut", f"to{i}", {"port": f"nf{i}"})
        client.create_module("PortInc", f"from{i}", {"port": f"nf{i}"})
        client.connect_modules(f"from{i - 1}" if i > 0 else "sender", f"to{i}")
    client.create_module("Sink", "end")
    client.connect_modules(f"from{LENGTH - 1}", "end")
    return paths


def commands(paths: list[str], together: bool) -> list[list[str]]:
    """One program for all sockets, or one for each."""
    front = [beside("port_bench"), "chain", str(first_core()), str(LIFETIME)]
    return [[*front, *paths]] if together else [[*front, path] for path in paths]


def rate(client: Any) -> float:
    """Packets a second at the end of the chain, by the clock: several threads share the work."""

    def sample() -> Sample:
        return Sample(int(client.get_ledger(["end"]).modules[0].consumed), time.perf_counter())

    return best_rate(sample)


def measure(together: bool) -> tuple[float, int]:
    """Packets a second through the chain, and how many were lost."""
    with fresh_daemon() as (daemon, client):
        paths = build(daemon, client)
        with attached(client, commands(paths, together)):
            client.resume_all()
            pause(SETTLE_SECONDS)
            return rate(client), int(client.get_ledger().totals.dropped)


def chain() -> Iterator[Figure]:
    """Processes in turn with one process that has all rings."""
    ratios, lost = [], 0
    for _ in range(ROUNDS):
        alone, lost_alone = measure(together=True)
        apart, lost_apart = measure(together=False)
        ratios.append(apart / alone)
        lost += lost_alone + lost_apart
    name = f"chain of {LENGTH}, processes / one process"
    beside = f"one process: {alone / 1e6:.1f} Mpps"
    yield Figure(name, statistics.median(ratios), 0.8, "", at_least=True, yardstick=beside)
    yield Figure(f"chain of {LENGTH}: packets lost", lost, 0, "")
