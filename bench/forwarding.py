# SPDX-License-Identifier: Apache-2.0
"""Scenarios against the yardstick: packets per second of CPU time, as a ratio to dpdk-testpmd's.

A scenario is a .bess file in bench/scenarios/ that runs on one worker; a line `# reach: 1.9` in it
is the ratio it should have. Each repetition measures the yardstick and then the scenario, so that
whatever slows the machine for a while slows both.
"""
from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

import yardstick
from besslang import Script, execute
from demo.daemon import READY_SECONDS, Daemon
from figures import Figure, Settings
from pybess import BESS
from worker_clock import Sample, await_thread, cpu_seconds, last_core, pause, tsc_hertz

DIRECTORY = Path(__file__).resolve().parent / "scenarios"
WARM_UP_SECONDS = 0.3
YARDSTICK = "testpmd"


@dataclass
class Scenario:
    """A graph to measure."""

    path: Path
    reach: Optional[float] = None
    variables: dict[str, object] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """As a person types it."""
        return self.label or self.path.stem


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


@contextlib.contextmanager
def prepared(
    scenario: Scenario, front: Sequence[str] = (), patience: float = READY_SECONDS
) -> Iterator[tuple[Daemon, BESS]]:
    """A daemon with the scenario's graph, paused."""
    options = ["--idle=spin", f"--c={last_core()}"]
    with Daemon(options, front=front, patience=patience) as daemon:
        client = daemon.client()
        client.pause_all()
        execute(Script.parse(scenario.path), client, scenario.variables)
        yield daemon, client


@contextlib.contextmanager
def running(scenario: Scenario) -> Iterator[Callable[[float], float]]:
    """How to measure the scenario for so many seconds.

    Between measurements it is paused: setting up takes longer than measuring where tables are large.
    """
    with prepared(scenario) as (daemon, client):

        def rate(seconds: float) -> float:
            client.resume_all()
            thread = await_thread(daemon.pid, "worker-0")

            def sample() -> Sample:
                packets = client.get_ledger().totals.consumed
                return Sample(packets, cpu_seconds(daemon.pid, thread))

            pause(WARM_UP_SECONDS)
            before = sample()
            pause(seconds)
            found = sample().rate_since(before)
            client.pause_all()
            return found

        yield rate


def rates(scenario: Scenario, settings: Settings) -> tuple[list[float], list[float]]:
    """Packets per second of CPU time of the one worker, and of the yardstick right before."""
    mine, its = [], []
    with running(scenario) as rate:
        for _ in range(settings.repetitions):
            its.append(yardstick.measure(settings.seconds))
            mine.append(rate(settings.seconds))
    return mine, its


def measure(chosen: list[Scenario], settings: Settings) -> list[Figure]:
    """Ratio, rate and cycles a packet of each; the yardstick's own come last."""
    if not yardstick.available():
        raise SystemExit(
            "the yardstick dpdk-testpmd is missing; it is in Debian's package dpdk-dev"
        )
    found: list[Figure] = []
    all_its: list[float] = []
    for scenario in chosen:
        print(f"{scenario.name} ...", file=sys.stderr, flush=True)
        mine, its = rates(scenario, settings)
        found += figures_of(scenario, mine, its)
        all_its += its
    return found + absolute(YARDSTICK, all_its)


def figures_of(scenario: Scenario, mine: list[float], its: list[float]) -> list[Figure]:
    """Each repetition's figure over the yardstick's of the same repetition, and absolute ones."""
    ratios = [x / y for x, y in zip(mine, its)]
    return [
        Figure(scenario.name, f"x {YARDSTICK}", ratios, scenario.reach),
        *absolute(scenario.name, mine),
    ]


def absolute(name: str, found: list[float]) -> list[Figure]:
    """What counts for nothing on a shared machine, but helps the eye."""
    return [
        Figure(name, "Mpps", [x / 1e6 for x in found]),
        Figure(name, "cycles/packet", [tsc_hertz() / x for x in found], less_is_better=True),
    ]
