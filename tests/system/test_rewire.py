# SPDX-License-Identifier: Apache-2.0
"""A module that one worker at a time may run is passed from worker to worker by rewiring, at full
load: its tables stay whole."""

import os
import time
from collections import Counter

from pybess import BESS, Transaction

TEMPLATE = bytes.fromhex(
    "020000000001020000000002"  # Ethernet
    "0800"
    "4500002e00000000401100000a000000c0000201"  # IPv4: 10.0.0.0 to 192.0.2.1
    "04010009001a0000"  # UDP
) + bytes(18)
ENDS = [
    {"offset": 28, "size": 2, "min": 0, "max": 3},  # the host
    {"offset": 34, "size": 2, "min": 1, "max": 65535},  # its port
]
SWAPS = 400


def start(client: BESS) -> None:
    """Two sources, each with a worker of its own, and a NAT that the first one feeds."""
    cores = sorted(os.sched_getaffinity(0))
    client.pause_all()
    for n in (0, 1):
        client.add_worker(n, cores[n % len(cores)])
        client.create_module("Source", f"src{n}")
        client.create_module("Rewrite", f"udp{n}", {"templates": [TEMPLATE]})
        client.create_module("RandomUpdate", f"ends{n}", {"fields": ENDS})
        client.connect_modules(f"src{n}", f"udp{n}")
        client.connect_modules(f"udp{n}", f"ends{n}")
        client.attach_task(f"src{n}", wid=n)
    addresses = [{"ext_addr": f"203.0.113.{i}"} for i in (1, 2, 3, 4)]
    client.create_module("NAT", "nat", {"ext_addrs": addresses})
    client.create_module("Sink", "out")
    client.connect_modules("nat", "out", 1)
    client.connect_modules("ends0", "nat")
    client.resume_all()


def swap(client: BESS, now: int, whole: bool) -> None:
    """Lets the other source feed the NAT: by one transaction, or by two edits."""
    edits = Transaction(client) if whole else client
    edits.disconnect_modules(f"ends{now}", 0)
    edits.connect_modules(f"ends{1 - now}", "nat")
    if isinstance(edits, Transaction):
        edits.commit("swap")


def outside_ends(client: BESS) -> list[tuple[str, str, int]]:
    """The outside end of each flow."""
    ends, begin = [], 0
    while True:
        answer = client.run_module_command(
            "nat", "get_flows", "NATCommandGetFlowsArg", {"start": begin, "limit": 10000}
        )
        ends += [(flow.protocol, flow.outside_addr, flow.outside_port) for flow in answer.flows]
        begin = answer.next
        if begin == 0:
            return ends


def test_no_two_flows_share_a_port(client: BESS) -> None:
    start(client)
    for i in range(SWAPS):
        swap(client, i % 2, whole=i % 4 < 2)
        time.sleep(0.001)
    client.pause_all()
    ends = outside_ends(client)
    assert len(ends) > 10_000
    assert [end for end, n in Counter(ends).items() if n > 1] == []
