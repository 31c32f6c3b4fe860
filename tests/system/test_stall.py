# SPDX-License-Identifier: Apache-2.0
"""A module that does not return is named, and one that is merely busy is not."""

import time

from demo.daemon import Daemon
from pybess import BESS


def start(client: BESS, cycles: int) -> None:
    """src -> cost -> out, where each batch takes so many cycles."""
    client.create_module("Source", "src")
    client.create_module("Bypass", "cost", {"cycles_per_batch": cycles})
    client.create_module("Sink", "out")
    client.connect_modules("cost", "out")
    client.connect_modules("src", "cost")


def test_a_module_that_does_not_return_is_named(client: BESS, daemon: Daemon) -> None:
    start(client, 2_000_000_000)
    deadline = time.monotonic() + 20
    while not client.get_worker_usage().workers[0].stalls:
        assert time.monotonic() < deadline, "nobody noticed"
        time.sleep(0.01)
    stall = client.get_worker_usage().workers[0].last_stall
    assert (stall.module, getattr(stall, "class")) == ("cost", "!leaf_src:0")
    assert stall.cpu_seconds >= 0.025
    text = "worker 0 is in module 'cost', run by class '!leaf_src:0', and does not return"
    assert text in daemon.log.read_text()


def test_a_busy_worker_is_not_named(client: BESS, daemon: Daemon) -> None:
    start(client, 1_000_000)  # less than a millisecond
    time.sleep(1)
    (worker,) = client.get_worker_usage().workers
    assert worker.busy_rounds > 100 and worker.stalls == 0
    assert "does not return" not in daemon.log.read_text()
