# SPDX-License-Identifier: Apache-2.0
"""One figure and its bound, and the daemon it is measured on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demo.daemon import Daemon
from worker_clock import last_core


@dataclass
class Figure:
    """What was measured; the bound is the largest value allowed, or the least."""

    name: str
    value: float
    bound: float
    unit: str
    at_least: bool = False
    yardstick: str = ""  # what something else did in the same run

    @property
    def kept(self) -> bool:
        """Whether the value is within its bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        return {**vars(self), "kept": self.kept}

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        measured, bound = f"{self.value:.4g} {self.unit}", f"{sign} {self.bound:g} {self.unit}"
        beside = f" ({self.yardstick})" if self.yardstick else ""
        kept = "ok" if self.kept else "MISSED"
        return f"{self.name:52} {measured:>12} {bound:>12}  {kept}{beside}"


@contextmanager
def fresh_daemon(*options: str) -> Iterator[tuple[Daemon, Any]]:
    """A daemon with a worker 0 on the last core, and a client."""
    with Daemon(list(options)) as daemon:
        client = daemon.client()
        client.add_worker(0, last_core())
        yield daemon, client


def set_burst(client: Any, source: str, burst: int) -> None:
    """How many packets a Source makes in a run; 0: it has no work."""
    client.run_module_command(source, "set_burst", "SourceCommandSetBurstArg", {"burst": burst})


def chain(client: Any, number: int, size: int, cycles: int = 0, burst: int = 32) -> str:
    """A source of packets of `size` bytes that cost `cycles` each; returns its name."""
    source, cost, sink = f"src{number}", f"cost{number}", f"out{number}"
    client.create_module("Source", source, {"pkt_size": size})
    client.create_module("Bypass", cost, {"cycles_per_packet": cycles})
    client.create_module("Sink", sink)
    set_burst(client, source, burst)
    client.connect_modules(cost, sink)
    client.connect_modules(source, cost)
    return source
