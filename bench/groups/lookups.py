# SPDX-License-Identifier: Apache-2.0
"""Lookups in our tables against those in DPDK's with the same entries, in turn in one program.

bench/lookup_bench.cc says what is measured and how.
"""
from __future__ import annotations

import subprocess

from demo.daemon import beside
from figures import Figure, Settings
from worker_clock import last_core

BOUND = 1.3


def measure(settings: Settings) -> list[Figure]:
    """The ratio of cycles a lookup for each table, and the cycles of both."""
    return figures([run() for _ in range(settings.repetitions)])


def run(*tables: str) -> str:
    """What the program prints; it lies beside the daemon."""
    bench = beside("lookup_bench")
    command = ["taskset", "-c", str(last_core()), bench, *tables]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def figures(repetitions: list[str]) -> list[Figure]:
    """Of lines that have a table's name, our cycles and DPDK's."""
    ours: dict[str, list[float]] = {}
    theirs: dict[str, list[float]] = {}
    for line in "".join(repetitions).splitlines():
        table, our_cycles, their_cycles = line.split()
        ours.setdefault(table, []).append(float(our_cycles))
        theirs.setdefault(table, []).append(float(their_cycles))
    found = []
    for table in ours:
        ratios = [mine / its for mine, its in zip(ours[table], theirs[table])]
        found.append(Figure(table, "of DPDK's", ratios, reach=BOUND, less_is_better=True))
        found.append(Figure(table, "cycles", ours[table], less_is_better=True))
        found.append(Figure(table, "cycles with DPDK", theirs[table], less_is_better=True))
    return found
