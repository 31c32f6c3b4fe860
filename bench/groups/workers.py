# SPDX-License-Identifier: Apache-2.0
"""Two workers against one on a scenario's graph, which gets a second source: each worker has one,
and all else is shared. Wants two cores for itself.
"""
from __future__ import annotations

from typing import Any

import forwarding
from besslang import Script, execute
from demo.daemon import Daemon
from figures import Figure, Settings
from worker_clock import Sample, await_thread, cpu_seconds, first_core, last_core, pause

SCENARIO = "exact_match"
CORES = {0: last_core(), 1: first_core()}
SOURCES = ("source0", "source1")  # the scenario's own, and one more
SETTLE_SECONDS = 0.2


def measure(settings: Settings) -> list[Figure]:
    """The second source moves from worker to worker while packets run."""
    gains = []
    with Daemon(["--idle=spin"]) as daemon:
        client = daemon.client()
        for worker, core in CORES.items():
            client.add_worker(worker, core)
        client.pause_all()
        execute(Script.parse(forwarding.named([SCENARIO])[0].path), client, {})
        client.create_module("Source", SOURCES[1])
        client.connect_modules(SOURCES[1], "rewrite0")
        client.resume_all()
        for _ in range(settings.repetitions):
            two = rate(daemon, client, (0, 1), settings.seconds)
            gains.append(two / rate(daemon, client, (0, 0), settings.seconds))
    return [Figure("two workers", "x one", gains, reach=1.9)]


def rate(daemon: Daemon, client: Any, workers: tuple[int, int], seconds: float) -> float:
    """Packets per second of CPU time of each worker, added up, with the sources on these workers."""
    for source, worker in zip(SOURCES, workers):
        client.attach_task(source, wid=worker)
    threads = {x: await_thread(daemon.pid, f"worker-{x}") for x in set(workers)}

    def samples() -> dict[int, Sample]:
        made = {x.name: int(x.created) for x in client.get_ledger(list(SOURCES)).modules}
        return {
            worker: Sample(
                sum(made[x] for x, runs_it in zip(SOURCES, workers) if runs_it == worker),
                cpu_seconds(daemon.pid, thread),
            )
            for worker, thread in threads.items()
        }

    pause(SETTLE_SECONDS)
    before = samples()
    pause(seconds)
    after = samples()
    return sum(after[x].rate_since(before[x]) for x in threads)
