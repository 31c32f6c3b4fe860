# SPDX-License-Identifier: Apache-2.0
"""What network functions cost that do little: attaching, and being there."""

import contextlib
import statistics
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import worker_clock
from demo.daemon import Daemon, beside
from nf_rates import ROUNDS, port_bench, send_back
from bounded import Figure, fresh_daemon
from sched_idle import idle_share

ATTACHMENTS = 50
SLEEPERS = 64


def attach_time(trusted: bool) -> float:
    """The median of some attachments, in milliseconds; packets come all the time."""
    with fresh_daemon() as (daemon, client):
        path = str(daemon.directory / "nf")
        client.create_port("NFPort", "nf", {"path": path, "trusted": trusted})
        client.create_module("Source", "source")
        client.create_module("PortOut", "out", {"port": "nf"})
        client.connect_modules("source", "out")
        return port_bench("attach", ATTACHMENTS, path)


def attach() -> Iterator[Figure]:
    """From the first call of the library to the first packet."""
    yield Figure("attach to first packet, trusted", attach_time(True), 10, "ms")
    yield Figure("attach to first packet, isolated", attach_time(False), 10, "ms")


def forwarding_rate(daemon: Daemon, client: Any) -> float:
    """Packets a second of the worker's CPU time from a port that always has some, and back."""
    thread = worker_clock.await_thread(daemon.pid, "worker-0")

    def sample() -> worker_clock.Sample:
        packets = int(client.get_port_stats("null").out.packets)
        return worker_clock.Sample(packets, worker_clock.cpu_seconds(daemon.pid, thread))

    return worker_clock.best_rate(sample)


def await_all(client: Any) -> None:
    """Waits until each port has a network function; TimeoutError when one does not come."""
    end = time.monotonic() + worker_clock.PATIENCE_SECONDS
    while not all(nf.HasField("process") for nf in client.list_nfs().ports):
        if time.monotonic() > end:
            raise TimeoutError("not every network function attaches")
        time.sleep(0.05)


@contextlib.contextmanager
def attached(client: Any, commands: list[list[str]]) -> Iterator[None]:
    """Programs that are network functions of all ports there are."""
    running = []
    try:
        for command in commands:
            running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        await_all(client)
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextlib.contextmanager
def sleeping(daemon: Daemon, client: Any) -> Iterator[None]:
    """Network functions at ports of their own, to which no packets come."""
    forwarder = beside("nf/forwarder")
    paths = [str(daemon.directory / f"nf{i}") for i in range(SLEEPERS)]
    for i, path in enumerate(paths):
        client.create_port("NFPort", f"nf{i}", {"path": path, "trusted": True})
        send_back(client, f"nf{i}")
    with attached(client, [[forwarder, path] for path in paths]):
        yield


def lost_to_sleepers() -> float:
    """Per cent of the switch's rate."""
    with fresh_daemon() as (daemon, client):
        client.create_port("PMDPort", "null", {"vdev": "net_null0"})
        send_back(client, "null")
        before = forwarding_rate(daemon, client)
        with sleeping(daemon, client):
            return 100 * (1 - forwarding_rate(daemon, client) / before)


def idle_with_sleepers() -> float:
    """Per cent of a core that a daemon uses whose only ports are those of sleepers."""
    with fresh_daemon() as (daemon, client), sleeping(daemon, client):
        return idle_share(daemon)


def asleep() -> Iterator[Figure]:
    """What ports cost the switch whose network functions sleep: while it is busy, and idle."""
    lost = statistics.median(lost_to_sleepers() for _ in range(ROUNDS))
    yield Figure(f"{SLEEPERS} network functions asleep cost", lost, 5, "%")
    yield Figure(f"idle daemon, {SLEEPERS} of them", idle_with_sleepers(), 1, "%")
