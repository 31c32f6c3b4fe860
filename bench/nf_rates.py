# SPDX-License-Identifier: Apache-2.0
"""Packets that go round between a network function and the switch, by each way there is."""

import os
import statistics
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from demo.daemon import Daemon, beside
from bounded import Figure, fresh_daemon
from wires import wires
from worker_clock import first_core, last_core

ROUNDS = 9  # short ones: where the hypervisor puts the cores may change every second
SECONDS = 0.3
IN_FLIGHT = 512  # packets, half a ring
ALONE = 1  # one packet: its rate is one by the time there and back

Rate = Callable[[int], float]  # by the number of packets in flight


def port_bench(what: str, *words: object, front: tuple[str, ...] = ()) -> float:
    """The one number that port_bench prints."""
    command = [*front, beside("port_bench"), what, str(first_core()), *map(str, words)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def rings(in_flight: int) -> float:
    """The yardstick: pointers through two rings."""
    return port_bench("ring", in_flight, SECONDS, last_core())


def send_back(client: Any, port: str) -> None:
    """Lets the switch send back what comes from a port."""
    client.create_module("PortInc", f"{port}_inc", {"port": port})
    client.create_module("PortOut", f"{port}_out", {"port": port})
    client.connect_modules(f"{port}_inc", f"{port}_out")


def nf_rate(trusted: bool, in_flight: int) -> float:
    """Through an NFPort."""
    with fresh_daemon() as (daemon, client):
        path = str(daemon.directory / "nf")
        client.create_port("NFPort", "nf", {"path": path, "trusted": trusted})
        send_back(client, "nf")
        return port_bench("nf", in_flight, SECONDS, path)


def trusted(in_flight: int) -> float:
    """Through a port whose packets are the NF's as they are."""
    return nf_rate(True, in_flight)


def isolated(in_flight: int) -> float:
    """Through a port that copies both ways."""
    return nf_rate(False, in_flight)


def raw_sockets(in_flight: int) -> float:
    """Through the kernel: a packet socket at each end of a pair of devices."""
    with wires(("switch", "nf")) as front, Daemon(front=front) as daemon:
        client = daemon.client()
        client.add_worker(0, last_core())
        client.create_port("PMDPort", "kernel", {"vdev": "net_af_packet0,iface=switch"})
        send_back(client, "kernel")
        return port_bench("kernel", in_flight, SECONDS, "nf", front=front)


def compare(name: str, mine: Rate, its: Rate, in_flight: int, bound: float) -> Figure:
    """The median of the ratios of rounds in which both are measured; with one packet in flight, of
    their times."""
    pairs = [(mine(in_flight), its(in_flight)) for _ in range(ROUNDS)]
    alone = in_flight == ALONE
    ratios = [its_rate / rate if alone else rate / its_rate for rate, its_rate in pairs]
    rates = " / ".join(f"{statistics.median(each) / 1e6:.2f}" for each in zip(*pairs))
    beside = f"{min(ratios):.2f} .. {max(ratios):.2f}; {rates} M packets/s"
    return Figure(name, statistics.median(ratios), bound, "", at_least=not alone, yardstick=beside)


def rates() -> Iterator[Figure]:
    """64-byte packets there and back, as many as go through."""
    yield compare("rate, trusted / rings", trusted, rings, IN_FLIGHT, 0.75)
    yield compare("rate, isolated / trusted", isolated, trusted, IN_FLIGHT, 0.5)


def latencies() -> Iterator[Figure]:
    """The time there and back of one packet that travels alone."""
    yield compare("latency, trusted / rings", trusted, rings, ALONE, 1.5)


def kernel() -> Iterator[Figure]:
    """Against the way that needs no library: devices of the kernel's and raw sockets."""
    if os.geteuid() != 0:
        print("kernel: not measured, as only root makes network devices")
        return
    yield compare("rate, trusted / kernel path", trusted, raw_sockets, IN_FLIGHT, 26)
    yield compare("latency, trusted / kernel path", trusted, raw_sockets, ALONE, 0.4)
