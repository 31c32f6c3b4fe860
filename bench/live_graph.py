# SPDX-License-Identifier: Apache-2.0
"""What a one-edge change costs in a large graph, from request to reply, over gRPC."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from pybess import Transaction
from bounded import Figure, fresh_daemon

MODULES = 10_000
ROUNDS = 200  # of a disconnect, a connect, and both in a transaction
PIPELINE = 10  # modules each, in the graph of many
SHAPES = {"pipelines": PIPELINE, "one chain": MODULES}
BOUND = 5  # ms


def build(client: Any, length: int) -> None:
    """Pipelines of so many modules: a source without work, modules that pass on, a sink."""
    all_at_once = Transaction(client)
    for first in range(0, MODULES, length):
        names = [f"m{number}" for number in range(first, first + length)]
        all_at_once.create_module("Source", names[0])
        for name in names[1:-1]:
            all_at_once.create_module("Bypass", name)
        all_at_once.create_module("Sink", names[-1])
        idle = "SourceCommandSetBurstArg", {"burst": 0}
        all_at_once.run_module_command(names[0], "set_burst", *idle)
        for sender, receiver in zip(names, names[1:]):
            all_at_once.connect_modules(sender, receiver)
    all_at_once.commit()


def milliseconds(edit: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    edit()
    return (time.perf_counter() - start) * 1000


def changes(client: Any) -> dict[str, list[float]]:
    """The time of each change of an edge in the middle, by what it does."""
    sender, receiver = f"m{MODULES // 2 + 4}", f"m{MODULES // 2 + 5}"
    times: dict[str, list[float]] = {"disconnect": [], "connect": [], "both at once": []}
    for _ in range(ROUNDS):
        times["disconnect"].append(milliseconds(lambda: client.disconnect_modules(sender)))
        times["connect"].append(milliseconds(lambda: client.connect_modules(sender, receiver)))
        both = Transaction(client)
        both.disconnect_modules(sender)
        both.connect_modules(sender, receiver)
        times["both at once"].append(milliseconds(both.commit))
    return times


def changes_of_one_edge() -> Iterator[Figure]:
    """Both shapes, each kind of change, each on disk before it is acknowledged."""
    for shape, length in SHAPES.items():
        with (
            tempfile.TemporaryDirectory(prefix="bessd-graph-") as directory,
            fresh_daemon(f"--journal={directory}/journal") as (_, client),
        ):
            build(client, length)
            for kind, times in changes(client).items():
                beside = f"99 of 100 within {statistics.quantiles(times, n=100)[98]:.1f} ms"
                name = f"{MODULES:,} modules, {shape}: {kind}"
                yield Figure(name, statistics.median(times), BOUND, "ms", yardstick=beside)
