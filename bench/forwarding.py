# SPDX-License-Identifier: Apache-2.0
"""Scenarios against the yardstick: packets per second of CPU time, as a ratio to dpdk-testpmd's.

A scenario is a .bess file in bench/scenarios/ that runs on one worker; a line `# reach: 1.9` in it
is the ratio it should have. Each repetition measures the yardstick and then every scenario, so that
whatever slows the machine for a while slows all of them.
"""
from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import yardstick
from besslang import Script, execute
from demo.daemon import Daemon
from figures import Figure, Settings
from worker_clock import Sample, await_thread, cpu_seconds, last_core, pause, tsc_hertz

DIRECTORY = Path(__file__).resolve().parent / "scenarios"
WARM_UP_SECONDS = 0.3
YARDSTICK = "testpmd"


@dataclass
class Scenario:
    """A graph to measure."""

    path: Path
    reach: Optional[float]

    @property
    def name(self) -> str:
        """As a person types it."""
        return self.path.stem


def scenarios() -> list[Scenario]:
    """All there are, by name."""
    return [read(x) for x in sorted(DIRECTORY.glob("*.bess"))]


def named(names: list[str]) -> list[Scenario]:
    """Those with one of these names."""
    return [x for x in scenarios() if x.name in names]


def read(path: Path) -> Scenario:
    """One scenario and what is asked of it."""
    found = re.search(r"^# reach: ([\d.]+)$", path.read_text(), re.MULTILINE)
    return Scenario(path, float(found.group(1)) if found else None)


def rate(scenario: Scenario, seconds: float) -> float:
    """Packets per second of CPU time of the one worker that runs the scenario."""
    with Daemon(["--idle=spin", f"--c={last_core()}"]) as daemon:
        client = daemon.client()
        client.pause_all()
        execute(Script.parse(scenario.path), client, {})
        client.resume_all()
        thread = await_thread(daemon.pid, "worker-0")

        def sample() -> Sample:
            packets = client.get_ledger().totals.consumed
            return Sample(packets, cpu_seconds(daemon.pid, thread))

        pause(WARM_UP_SECONDS)
        before = sample()
        pause(seconds)
        return sample().rate_since(before)


def rates(chosen: list[Scenario], settings: Settings) -> dict[str, list[float]]:
    """Packets per second, by scenario and repetition; the yardstick comes first."""
    if not yardstick.available():
        raise SystemExit("the yardstick dpdk-testpmd is missing; it is in Debian's package dpdk")
    found: dict[str, list[float]] = {YARDSTICK: [], **{x.name: [] for x in chosen}}
    for i in range(settings.repetitions):
        print(f"repetition {i + 1} of {settings.repetitions}", file=sys.stderr, flush=True)
        found[YARDSTICK].append(yardstick.measure(settings.seconds))
        for scenario in chosen:
            found[scenario.name].append(rate(scenario, settings.seconds))
    return found


def measure(chosen: list[Scenario], settings: Settings) -> list[Figure]:
    """Ratio, rate and cycles a packet of each, the yardstick first."""
    found = rates(chosen, settings)
    reaches = {x.name: x.reach for x in chosen}
    return [figure for name in found for figure in figures_of(name, found, reaches.get(name))]


def figures_of(name: str, found: dict[str, list[float]], reach: Optional[float]) -> list[Figure]:
    """Each repetition's figure over the yardstick's of the same repetition, and absolute ones."""
    ratios = [mine / its for mine, its in zip(found[name], found[YARDSTICK])]
    return [
        Figure(name, f"x {YARDSTICK}", ratios, reach),
        Figure(name, "Mpps", [x / 1e6 for x in found[name]]),
        Figure(name, "cycles/packet", [tsc_hertz() / x for x in found[name]], less_is_better=True),
    ]
