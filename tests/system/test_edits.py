# SPDX-License-Identifier: Apache-2.0
"""The promise of live change: a thousand edits while a core works flat out cost no packet."""

import os
import time

import pytest
from demo import books
from pybess import BESS
from pybess.errors import Error

EDITS = 1000
STANDSTILL_SECONDS = 1.0


def start_traffic(client: BESS) -> None:
    """src -> pass -> out at full rate, on the default worker; connected from its end, so that no
    packet is made before it has somewhere to go.
    """
    for name, mclass in (("src", "Source"), ("pass", "Bypass"), ("out", "Sink")):
        client.create_module(mclass, name)
    client.connect_modules("pass", "out")
    client.connect_modules("src", "pass")


def swallowed(client: BESS) -> int:
    """Packets that reached the end."""
    return int(client.get_ledger(["out"]).modules[0].consumed)


def edit(client: BESS, number: int) -> None:
    """Four edits of a part of the graph that has nothing to do with the traffic."""
    aside = f"aside{number}"
    client.create_module("Bypass", aside)
    client.connect_modules(aside, "drain", 0, 0)
    client.disconnect_modules(aside, 0)
    client.destroy_module(aside)


def test_edits_elsewhere_cost_no_packet_and_never_stop_the_worker(client: BESS) -> None:
    start_traffic(client)
    client.create_module("Sink", "drain")
    last, seen = time.monotonic(), swallowed(client)
    for number in range(EDITS // 4):
        edit(client, number)
        now = swallowed(client)
        if now > seen:
            last, seen = time.monotonic(), now
        assert time.monotonic() - last < STANDSTILL_SECONDS, "the worker stood still"
        assert client.list_workers().workers_status[0].running
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up, kept
    assert kept.totals.dropped == 0 and kept.totals.held == 0
    assert kept.totals.consumed == kept.totals.created == kept.entry("src").went
    assert sorted(entry.name for entry in kept.entries) == ["drain", "out", "pass", "src"]


def test_edits_of_the_path_itself_account_for_every_packet(client: BESS) -> None:
    """A module is put into the path and taken out again: what meets the gap is counted as such."""
    start_traffic(client)
    for _ in range(EDITS // 8):
        client.create_module("Bypass", "detour")
        client.disconnect_modules("pass")
        client.connect_modules("pass", "detour")
        client.connect_modules("detour", "out")
        client.disconnect_modules("detour")
        client.disconnect_modules("pass")
        client.connect_modules("pass", "out")
        client.destroy_module("detour")
    client.pause_all()
    totals = client.get_ledger().totals
    assert totals.unaccounted == 0
    assert totals.consumed > 0
    assert set(totals.dropped_by_reason) <= {"dead_end", "module_removed"}


def test_tasks_of_port_queues_count_like_any_other(client: BESS) -> None:
    """What they lead to is known: a module for one worker is not reached from two."""
    core = min(os.sched_getaffinity(0))
    client.create_port("PMDPort", "null", {"vdev": "net_null0", "num_inc_q": 2, "num_out_q": 2})
    client.create_module("NAT", "nat", {"ext_addrs": [{"ext_addr": "192.0.2.1"}]})
    for number in (0, 1):
        client.add_worker(number, core)
        client.create_module("QueueInc", f"in{number}", {"port": "null", "qid": number})
        client.attach_task(f"in{number}", wid=number)
    client.connect_modules("in0", "nat")
    with pytest.raises(Error, match="'nat' .* workers 0, 1 reach it"):
        client.connect_modules("in1", "nat")
    client.attach_task("in1", wid=0)
    client.connect_modules("in1", "nat")
    with pytest.raises(Error, match="'nat' .* workers 0, 1 reach it"):
        client.attach_task("in1", wid=1)


def test_a_queue_that_is_removed_accounts_for_what_it_held(client: BESS) -> None:
    start_traffic(client)
    for _ in range(20):
        client.create_module("Queue", "queue", {"size": 64})
        client.run_module_command("queue", "set_burst", "QueueCommandSetBurstArg", {"burst": 1})
        client.connect_modules("queue", "out")
        client.disconnect_modules("pass")
        client.connect_modules("pass", "queue")
        time.sleep(0.002)
        client.destroy_module("queue")
        client.connect_modules("pass", "out")
    client.pause_all()
    totals = client.get_ledger().totals
    assert totals.unaccounted == 0 and totals.held == 0
    assert set(totals.dropped_by_reason) <= {"dead_end", "module_removed", "queue_full"}


def test_taking_everything_away_under_load_leaves_clean_books(client: BESS) -> None:
    for _ in range(10):
        start_traffic(client)
        before = swallowed(client)
        while swallowed(client) == before:
            time.sleep(0.001)
        client.reset_all()
        totals = client.get_ledger().totals
        assert totals.unaccounted == 0 and totals.held == 0
        assert client.dump_mempool().dumps[0].mp_in_use_count == 0
    assert totals.created > 0
