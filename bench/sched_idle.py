# SPDX-License-Identifier: Apache-2.0
"""What the scheduler itself costs: cycles a decision, wake-up times, an idle daemon's CPU."""

import contextlib
import multiprocessing
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.daemon import Daemon, beside
import worker_clock
from bounded import Figure, fresh_daemon

DECISION_BOUNDS = {1: 80, 64: 110, 1024: 160}  # cycles, by the number of leaves
DECISION_RUNS = 5
WAKES = 300
IDLE_SECONDS = 3.0
FRAME = bytes(60)
# How long nothing happened before a packet comes, and what the worker does by then.
PAUSES = {"spinning": 0.0002, "napping": 0.008, "asleep": 0.06}


def decisions() -> Iterator[Figure]:
    """Choosing a leaf and accounting for its run, a reading of the clock included.

    The least of several runs: neighbours on the same core only ever add.
    """
    bench = beside("tc_bench")
    command = ["taskset", "-c", str(worker_clock.last_core()), bench]
    cycles: dict[str, float] = {}
    for _ in range(DECISION_RUNS):
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in run.stdout.splitlines():
            tree, value = line.rsplit(" ", 1)
            cycles[tree] = min(cycles.get(tree, float("inf")), float(value))
    for tree, least in cycles.items():
        leaves = int(tree.split()[1])
        yield Figure(f"decision, {tree} leaves", least, DECISION_BOUNDS[leaves], "cycles")


def add_echo(client: Any, path: Path) -> socket.socket:
    """A Unix socket whose packets come back."""
    client.create_port("UnixSocketPort", "unix", {"path": str(path), "min_rx_interval_ns": -1})
    client.create_module("PortInc", "inc", {"port": "unix"})
    client.create_module("PortOut", "out", {"port": "unix"})
    client.connect_modules("inc", "out")
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.connect(str(path))
    peer.setblocking(False)
    return peer


def add_poller(client: Any) -> None:
    """A port without packets that has to be asked for them."""
    client.create_port("PMDPort", "ring", {"vdev": "net_ring0"})
    client.create_module("PortInc", "ring_inc", {"port": "ring"})
    client.create_module("Sink", "ring_out")
    client.connect_modules("ring_inc", "ring_out")


def round_trip(peer: socket.socket) -> float:
    """Seconds until a packet came back; the caller never sleeps meanwhile."""
    start = time.perf_counter()
    peer.send(FRAME)
    while True:
        try:
            peer.recv(len(FRAME))
            return time.perf_counter() - start
        except BlockingIOError:
            pass


def echo(theirs: socket.socket) -> None:
    """Sends back what comes, on the worker's core, and sleeps otherwise."""
    os.sched_setaffinity(0, {worker_clock.last_core()})
    while packet := theirs.recv(len(FRAME)):
        theirs.send(packet)


@contextlib.contextmanager
def bare_echo() -> Iterator[socket.socket]:
    """The yardstick: a process that does nothing but wait for packets and send them back."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = multiprocessing.Process(target=echo, args=(theirs,))
    child.start()
    theirs.close()
    ours.setblocking(False)
    yield ours
    ours.shutdown(socket.SHUT_RDWR)
    child.join()
    ours.close()


def percentile_99(seconds: list[float]) -> float:
    """In microseconds."""
    return 1e6 * statistics.quantiles(seconds, n=100)[98]


def wake_ups() -> Iterator[Figure]:
    """From a packet sent to an idle worker until it is back."""
    for state, pause in PAUSES.items():
        aside = worker_clock.on_core(worker_clock.first_core())
        with bare_echo() as bare, fresh_daemon() as (daemon, client), aside:
            if state == "napping":
                add_poller(client)
            peer = add_echo(client, daemon.directory / "echo")
            times: dict[socket.socket, list[float]] = {peer: [], bare: []}
            for _ in range(WAKES):
                for asked, taken in times.items():
                    time.sleep(pause)
                    taken.append(round_trip(asked))
            peer.close()
        name = f"wake-up, {state}, there and back: p99"
        yardstick = f"a bare process: {percentile_99(times[bare]):.0f} us"
        yield Figure(name, percentile_99(times[peer]), 100, "us", yardstick=yardstick)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all threads, in seconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(worker_clock.cpu_seconds(pid, int(thread.name)) for thread in threads)


def idle_share(daemon: Daemon) -> float:
    """Per cent of a core that the daemon uses without packets."""
    time.sleep(0.5)
    before, start = cpu_seconds(daemon.pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return 100 * (cpu_seconds(daemon.pid) - before) / (time.monotonic() - start)


def idle_cpu() -> Iterator[Figure]:
    """An idle daemon with a port that can wake it, then with one that has to be asked too."""
    with fresh_daemon() as (daemon, client):
        peer = add_echo(client, daemon.directory / "echo")
        yield Figure("idle daemon, all ports can wake it", idle_share(daemon), 1, "%")
        add_poller(client)
        yield Figure("idle daemon, a port to be asked", idle_share(daemon), 5, "%")
        peer.close()
