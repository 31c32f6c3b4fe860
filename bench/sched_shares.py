# SPDX-License-Identifier: Apache-2.0
"""Who gets how much: shares, limits, strict priority, and what edits under load cost."""

import time
from collections.abc import Iterator
from typing import Any

from bounded import Figure, chain, fresh_daemon, set_burst
from worker_clock import longest_pause

SECONDS = 1.0
SETTLE_SECONDS = 0.2
REPETITIONS = 3
SIZES = (60, 1500, 250, 700)  # bytes
COSTS = (0, 2000, 100, 500)  # cycles a packet
RESOURCES = {"count": "count", "cycle": "cycles", "packet": "packets", "bit": "bits"}
LIMITS = (10_000, 1_000_000, 100_000_000, 1_000_000_000, 10_000_000_000)  # bit/s
EDITS = 10_000


def weights(classes: int) -> list[int]:
    """From 1 to 1000, evenly on a scale of logarithms."""
    return [round(1000 ** (i / (classes - 1))) for i in range(classes)]


def used(client: Any, leaves: list[str], field: str) -> list[int]:
    """What each leaf has used so far, all at the same moment."""
    client.pause_all()
    amounts = [getattr(client.get_tc_stats(leaf), field) for leaf in leaves]
    client.resume_all()
    return amounts


def machine_s_own(seconds: float) -> str:
    """What no scheduler can help."""
    return f"a bare process is away for {1000 * longest_pause(seconds):.1f} ms"


def worst_error(client: Any, leaves: list[str], shares: list[int], field: str) -> float:
    """In a second: the largest distance, in per cent, of a leaf's share from what it should be."""
    before = used(client, leaves, field)
    time.sleep(SECONDS)
    spent = [b - a for a, b in zip(before, used(client, leaves, field), strict=True)]
    errors = [
        abs(x / sum(spent) / (share / sum(shares)) - 1)
        for x, share in zip(spent, shares, strict=True)
    ]
    return 100 * max(errors)


def shares() -> Iterator[Figure]:
    """weighted_fair: packets of mixed sizes, modules of very different cost."""
    for resource, field in RESOURCES.items():
        for classes in (2, 8, 64):
            with fresh_daemon() as (_, client):
                client.pause_all()
                client.add_tc("fair", "weighted_fair", wid=0, resource=resource)
                for i, share in enumerate(weights(classes)):
                    name = chain(client, i, SIZES[i % 4], COSTS[i // 4 % 4], burst=1)
                    client.attach_task(name, parent="fair", share=share)
                client.resume_all()
                time.sleep(SETTLE_SECONDS)
                leaves = [f"!leaf_src{i}:0" for i in range(classes)]
                least = min(
                    worst_error(client, leaves, weights(classes), field) for _ in range(REPETITIONS)
                )
            name = f"share by {resource}, {classes} classes, weights 1..1000: error"
            beside = machine_s_own(SECONDS) if resource == "cycle" else ""
            yield Figure(name, least, 1.0, "%", yardstick=beside)


def at_an_edge(client: Any, name: str) -> tuple[float, int]:
    """The moment at which a class is next seen to have used more, and how many bits in all."""
    first = client.get_tc_stats(name).bits
    while True:
        now = client.get_tc_stats(name)
        if now.bits != first:
            return now.timestamp, now.bits


def rate(client: Any, name: str, seconds: float) -> float:
    """Bits per second, between two moments at which packets have just run."""
    start, before = at_an_edge(client, name)
    time.sleep(seconds)
    end, after = at_an_edge(client, name)
    return (after - before) / (end - start)


def limits() -> Iterator[Figure]:
    """rate_limit, from 10 kbit/s to what the worker can do."""
    with fresh_daemon() as (_, client):
        client.add_tc("limit", "rate_limit", wid=0, resource="bit")
        client.attach_task(chain(client, 0, 1500), parent="limit")
        most = rate(client, "limit", SECONDS)
        for limit in (*LIMITS, int(0.9 * most)):
            set_burst(client, "src0", 32 if limit > LIMITS[2] else 1)
            client.update_tc_params("limit", resource="bit", limit={"bit": limit})
            time.sleep(SETTLE_SECONDS)
            seconds = SECONDS if limit > LIMITS[0] else 5 * SECONDS
            got = rate(client, "limit", seconds)
            yield Figure(f"limit {limit:.3g} bit/s: error", 100 * abs(got / limit - 1), 1.0, "%")


def priorities() -> Iterator[Figure]:
    """The lower class gets nothing while the higher has work, and then everything."""
    with fresh_daemon() as (_, client):
        client.add_tc("top", "priority", wid=0)
        for i in (0, 1):
            client.attach_task(chain(client, i, 60), parent="top", priority=i)
        high, low = "!leaf_src0:0", "!leaf_src1:0"
        time.sleep(SETTLE_SECONDS)
        before = used(client, [high, low], "packets")
        time.sleep(SECONDS)
        after = used(client, [high, low], "packets")
        yield Figure("priority: packets of the lower class", after[1] - before[1], 0, "")
        set_burst(client, "src0", 0)
        alone = used(client, [low], "packets")[0]
        time.sleep(SECONDS)
        taken = used(client, [low], "packets")[0] - alone
        part = 100 * taken / (after[0] - before[0])
        yield Figure("priority: what it gets when that has none", part, 80, "%", at_least=True)


def edit(client: Any, number: int) -> None:
    """Five edits of the tree around running traffic."""
    name = f"c{number}"
    client.add_tc(name, "weighted_fair", wid=0, resource="packet")
    client.attach_task("src0", parent=name, share=1 + number)
    client.update_tc_params(name, resource="bit")
    client.attach_task("src0", wid=0)
    client.remove_tc(name)


def edits() -> Iterator[Figure]:
    """10,000 edits of the tree while packets run through it."""
    with fresh_daemon() as (_, client):
        client.pause_all()  # so that no packet is made before it has somewhere to go
        chain(client, 0, 60)
        client.resume_all()
        start = last = time.monotonic()
        standstill, done = 0.0, 0
        for number in range(EDITS // 5):
            edit(client, number)
            now, seen = time.monotonic(), client.get_ledger(["out0"]).modules[0].consumed
            if seen == done:
                standstill = max(standstill, now - last)
            else:
                done, last = seen, now
        client.pause_all()
        totals = client.get_ledger().totals
    lost = totals.dropped + abs(totals.unaccounted)
    yield Figure(f"edits: packets lost in {EDITS} under load", lost, 0, "")
    beside = machine_s_own(now - start)
    yield Figure(
        "edits: longest time without a packet", 1000 * standstill, 1, "ms", yardstick=beside
    )
