# SPDX-License-Identifier: Apache-2.0
"""What edits do to packets, as the kernel sees it at both ends of the switch.

Numbered packets come in by one pair of devices and leave by another. The kernel's time of arrival
at each end tells how long each was in the switch, so that neither a late sender nor a late reader
counts. The same edits under PauseAll and ResumeAll, and none, are measured in turn, as in
live_edits.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import live_edits
from bounded import Figure
from demo.daemon import Daemon
from wires import wires
from worker_clock import first_core, last_core, on_core

EDITS = 10_000  # in each way
RATE = 20_000  # packets a second
RING = 8192  # packets the kernel keeps for the switch
AFTER = 1_000_000  # ns behind an edit that still count as its time
DEVICES = ["in", "rx"]  # where packets come to the switch, and where they leave it for
NUMBERED = Path(__file__).with_name("numbered.py")
SETTLE = 0.5  # seconds until what was sent last has come
REST = 0.002  # seconds between edits, so that none counts as the one before


def change_ports(client: Any, number: int) -> None:
    """A port that no packet sees comes or goes."""
    if number % 2:
        client.destroy_port("aside")
    else:
        client.create_port("PMDPort", "aside", {"vdev": "net_null0"})


def change_workers(client: Any, number: int) -> None:
    """A worker without tasks comes or goes."""
    if number % 2:
        client.destroy_worker(1)
    else:
        client.add_worker(1, first_core())


WAYS = live_edits.ways(change_ports, change_workers)


def build(client: Any) -> None:
    """The path of live_edits, between two ports."""
    client.pause_all()
    for port, device in (("from", "in"), ("to", "out")):
        vdev = f"net_af_packet_{port},iface={device},framecnt={RING}"
        client.create_port("PMDPort", port, {"vdev": vdev})
    client.create_module("PortInc", "src", {"port": "from"})
    client.create_module("Bypass", "measure")
    client.create_module("PortOut", "out", {"port": "to"})
    live_edits.lead(client, "src", "out")
    client.resume_all()


@dataclass
class Times:
    """When edits of one way were made, in ns since the epoch; in order."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def take(self, edit: live_edits.Edit, client: Any, number: int) -> None:
        """Makes an edit."""
        self.starts.append(time.time_ns())
        edit(client, number)
        self.ends.append(time.time_ns() + AFTER)
        time.sleep(REST)

    def has(self, at: int) -> bool:
        """Whether an edit was made then, or just before."""
        index = bisect_left(self.starts, at) - 1
        return index >= 0 and at <= self.ends[index]


def make_edits(client: Any) -> dict[str, Times]:
    """The ways in turn."""
    times = {way: Times() for way in WAYS}
    for way, edit, number in live_edits.in_turn(WAYS, EDITS // 2):
        times[way].take(edit, client, number)
    return times


@contextlib.contextmanager
def numbered(front: tuple[str, ...], *words: object) -> Iterator[subprocess.Popen[str]]:
    """The program that sends or records, until the end."""
    command = [*front, sys.executable, str(NUMBERED), *map(str, words)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def measure(directory: Path) -> dict[str, Times]:
    """Leaves what came in by each device in the directory."""
    with wires(("tx", "in"), ("out", "rx")) as front, Daemon(
        ["--idle=spin"], front=front
    ) as daemon:
        client = daemon.client()
        client.add_worker(0, last_core())
        build(client)
        with on_core(first_core()), numbered(front, "record", directory, *DEVICES) as recorder:
            assert recorder.stdout is not None and recorder.stdout.readline() == "ready\n"
            with numbered(front, "send", "tx", RATE):
                time.sleep(SETTLE)
                times = make_edits(client)
            time.sleep(SETTLE)
    return times


def read(file: Path) -> tuple[list[int], list[int]]:
    """Numbers and times."""
    pairs: "array[int]" = array("Q")
    pairs.frombytes(file.read_bytes())
    return list(pairs[::2]), list(pairs[1::2])


def stays(directory: Path, times: dict[str, Times]) -> Iterator[Figure]:
    """What the recordings say."""
    came = dict(zip(*read(directory / DEVICES[0])))
    numbers, left_at = read(directory / DEVICES[1])
    stay: dict[str, list[float]] = {way: [] for way in times}
    for number, left in zip(numbers, left_at):
        for way, when in times.items():
            if number in came and when.has(came[number]):
                stay[way].append((left - came[number]) / 1000)
    for percent in (50, 90, 99):
        at = {way: statistics.quantiles(of, n=100)[percent - 1] for way, of in stay.items()}
        beside = f"paused: {at['paused'] - at['none']:.0f} us, to {at['none']:.0f} us without edits"
        added = at["live"] - at["none"]
        yield Figure(f"outside: p{percent} that edits add", added, 50, "us", yardstick=beside)
    most = {way: max(of) / 1000 for way, of in stay.items()}
    beside = f"paused: {most['paused'] - most['none']:.1f} ms, "
    beside += f"to {most['none']:.1f} ms without edits"
    added = most["live"] - most["none"]
    yield Figure("outside: longest stay that edits add", added, 1, "ms", yardstick=beside)
    lost = sum(not times["paused"].has(came[number]) for number in came.keys() - set(numbers))
    yield Figure(f"outside: packets lost in {EDITS} edits", lost, 0, "")
    strange = sum(later <= number for number, later in zip(numbers, numbers[1:]))
    yield Figure("outside: twice, or out of order", strange, 0, "")


def outside() -> Iterator[Figure]:
    """Edits seen from outside."""
    if os.geteuid() != 0:
        print("outside: not measured, as only root makes network devices")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        times = measure(Path(directory))
        yield from stays(Path(directory), times)
