# SPDX-License-Identifier: Apache-2.0
"""CPU time of the thread that polls.

Rates are packets per second of CPU time, so that a neighbour on the core costs nothing but patience.
"""

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# A busy machine takes its time to start a program.
PATIENCE_SECONDS = 60
STRETCHES = 10
STRETCH_SECONDS = 0.2


def thread_named(pid: int, prefix: str) -> int:
    """The id of the process's thread with that name; LookupError when there is none."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith(prefix):
            return int(task.name)
    raise LookupError(f"process {pid} has no thread {prefix}*")


def await_thread(pid: int, prefix: str) -> int:
    """The same for a thread that is about to start; LookupError when it does not."""
    for _ in range(PATIENCE_SECONDS * 20):
        try:
            return thread_named(pid, prefix)
        except LookupError:
            time.sleep(0.05)
    return thread_named(pid, prefix)


def cpu_seconds(pid: int, thread: int) -> float:
    """CPU time of a thread, from the scheduler's own clock, in seconds."""
    stat = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
    return int(stat.split()[0]) * 1e-9


@dataclass
class Sample:
    """How many packets a thread had handled after so many seconds, of CPU time as a rule."""

    packets: int
    seconds: float

    def rate_since(self, earlier: "Sample") -> float:
        """Packets per second."""
        return (self.packets - earlier.packets) / (self.seconds - earlier.seconds)


def best_rate(sample: Callable[[], Sample]) -> float:
    """The most of several short stretches, so that what else the machine does stays out of it."""
    rates = []
    for _ in range(STRETCHES):
        before = sample()
        time.sleep(STRETCH_SECONDS)
        rates.append(sample().rate_since(before))
    return max(rates)


def last_core() -> int:
    """The core that polls, in bessd and in the yardstick; the others are for control."""
    return max(os.sched_getaffinity(0))


def first_core() -> int:
    """Where what is measured in turn with the switch runs, such as a network function."""
    return min(os.sched_getaffinity(0))


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """This thread runs there, and so do programs it starts, a daemon among them."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def pause(seconds: float) -> None:
    """Lets the measured program run."""
    time.sleep(seconds)


def longest_pause(seconds: float) -> float:
    """How long the machine keeps the worker's core from a process that does nothing but read the clock.

    In seconds, at most. A class that runs at such a moment is charged for it, and packets wait.
    """
    with on_core(last_core()):
        longest, last = 0.0, time.perf_counter()
        end = last + seconds
        while last < end:
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
    return longest


@functools.lru_cache(maxsize=None)
def tsc_hertz() -> float:
    """How fast the time stamp counter runs, as the kernel found; cycles are its ticks."""
    found = re.search(r"^cpu MHz\s*: ([\d.]+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if found is None:
        raise LookupError("/proc/cpuinfo does not say how fast the CPU runs")
    return float(found.group(1)) * 1e6
