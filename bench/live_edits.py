# SPDX-License-Identifier: Apache-2.0
"""What packets feel of edits: the longest time one waits in a queue during each of them.

The same edits under PauseAll and ResumeAll, as a BESS client makes them, are the yardstick, and so is
as long a time without any edit: what the machine does to the worker meanwhile.
"""

import statistics
from collections.abc import Callable, Iterator
from typing import Any

from pybess import Transaction
from bounded import Figure, fresh_daemon, set_burst

EDITS = 200  # pairs of each way
LONGEST = 50_000_000  # ns, that Measure can tell apart, in steps of
RESOLUTION = 1000  # ns

Edit = Callable[[Any, int], None]


def lead(client: Any, first: str, last: str) -> None:
    """The path that edits change: from the first module by `rules` and `measure` to the last."""
    client.create_module("ExactMatch", "rules", {"fields": [{"offset": 30, "num_bytes": 4}]})
    client.create_module("Bypass", "bypass")
    for sender, receiver in ((first, "rules"), ("rules", "measure"), ("measure", last)):
        client.connect_modules(sender, receiver)
    client.connect_modules("bypass", "measure")
    default = "ExactMatchCommandSetDefaultGateArg"
    client.run_module_command("rules", "set_default_gate", default, {"gate": 0})


def build(client: Any) -> None:
    """Packets that wait in a queue, then are looked up and counted."""
    client.pause_all()
    client.create_module("Source", "src")
    client.create_module("Timestamp", "stamp")
    client.create_module("Queue", "queue", {"size": 1024, "backpressure": True})
    histogram = {"latency_ns_max": LONGEST, "latency_ns_resolution": RESOLUTION}
    client.create_module("Measure", "measure", histogram)
    client.create_module("Sink", "out")
    for sender, receiver in (("src", "stamp"), ("stamp", "queue")):
        client.connect_modules(sender, receiver)
    lead(client, "queue", "out")
    set_burst(client, "src", 32)
    client.resume_all()


def change_rule(client: Any, number: int) -> None:
    """A rule comes or goes."""
    rule: dict[str, Any] = {"fields": [{"value_int": 7}]}
    if number % 2:
        client.run_module_command("rules", "delete", "ExactMatchCommandDeleteArg", rule)
    else:
        client.run_module_command("rules", "add", "ExactMatchCommandAddArg", {**rule, "gate": 0})


def make_elsewhere(client: Any, number: int) -> None:
    """A module that no packet sees comes or goes."""
    if number % 2:
        client.destroy_module("elsewhere")
    else:
        client.create_module("Bypass", "elsewhere")


def move_class(client: Any, number: int) -> None:
    """The source gets a class above it, or loses it."""
    if number % 2:
        client.attach_task("src", wid=0)
        client.remove_tc("above")
    else:
        client.add_tc("above", "rate_limit", wid=0, resource="packet", limit={"packet": 0})
        client.attach_task("src", parent="above")


def rewire(client: Any, number: int) -> None:
    """The edge behind the rules goes to another module, in the packets' own path."""
    client.disconnect_modules("rules")
    client.connect_modules("rules", "measure" if number % 2 else "bypass")


def rewire_at_once(client: Any, number: int) -> None:
    """The same in one transaction."""
    both = Transaction(client)
    rewire(both, number)
    both.commit()


LIVE: tuple[Edit, ...] = (change_rule, make_elsewhere, move_class, rewire_at_once)
PAUSED: tuple[Edit, ...] = (change_rule, make_elsewhere, move_class, rewire)


def paused(edit: Edit) -> Edit:
    """As it is done where edits need a pause."""

    def pause_edit_resume(client: Any, number: int) -> None:
        client.pause_all()
        edit(client, number)
        client.resume_all()

    return pause_edit_resume


def nothing(client: Any, number: int) -> None:
    """About as long as an edit."""
    del number
    client.get_version()


def ways(*more: Edit) -> dict[str, tuple[Edit, ...]]:
    """The same edits: as they are made here, with a pause, and none."""
    return {
        "live": (*LIVE, *more),
        "paused": tuple(paused(edit) for edit in (*PAUSED, *more)),
        "none": (nothing,) * (len(LIVE) + len(more)),
    }


def in_turn(of: dict[str, tuple[Edit, ...]], pairs: int) -> Iterator[tuple[str, Edit, int]]:
    """Way, edit and number: each way changes and takes back what it changed, so all find the same."""
    for pair in range(pairs):
        for way, edits_of_way in of.items():
            for number in (0, 1):
                yield way, edits_of_way[pair % len(edits_of_way)], number


def longest_wait(client: Any, edit: Edit, number: int) -> float:
    """Of any packet during this edit, in microseconds."""
    client.run_module_command("measure", "clear", "EmptyArg", {})
    edit(client, number)
    summary = "MeasureCommandGetSummaryArg"
    return (
        float(client.run_module_command("measure", "get_summary", summary, {}).latency.max_ns)
        / 1000
    )


def edits() -> Iterator[Figure]:
    """The ways in turn, edit by edit."""
    waits: dict[str, list[float]] = {way: [] for way in ways()}
    with fresh_daemon() as (_, client):
        build(client)
        for way, edit, number in in_turn(ways(), EDITS):
            waits[way].append(longest_wait(client, edit, number))
        client.pause_all()
        totals = client.get_ledger().totals
    p99 = {way: statistics.quantiles(of, n=100)[98] for way, of in waits.items()}
    added = {way: p99[way] - p99["none"] for way in ("live", "paused")}
    beside = f"paused: {added['paused']:.0f} us, to {p99['none']:.0f} us without edits"
    yield Figure("edits: added to the longest wait, p99", added["live"], 50, "us", yardstick=beside)
    most = {way: max(of) / 1000 for way, of in waits.items()}
    beside = f"paused: {most['paused']:.1f} ms, without edits: {most['none']:.1f} ms"
    yield Figure("edits: longest wait of all", most["live"], 1, "ms", yardstick=beside)
    count = 2 * 2 * EDITS
    lost = totals.dropped + abs(totals.unaccounted)
    yield Figure(f"edits: packets lost in {count}", lost, 0, "")
