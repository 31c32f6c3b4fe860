# SPDX-License-Identifier: Apache-2.0
"""Traffic classes: `show tc`, and the tree that `monitor tc` draws as well."""

from dataclasses import dataclass
from typing import Any

from pybess.client import check_known

from besscli.errors import CommandError
from besscli.monitor import NOTHING, Row, watch_table
from besscli.shell import Shell, command
from besscli.values import count, whole_number


# What GetTcStats counts, by the name a policy has for it.
_FIELDS = {"count": "count", "cycle": "cycles", "packet": "packets", "bit": "bits"}

Readings = dict[str, Any]


@dataclass
class Branch:
    """A class at its place in the tree: what is drawn before its name, and the class above it."""

    drawn: str
    parent: str
    tc: Any

    @property
    def label(self) -> str:
        """The name as the tree shows it."""
        return self.drawn + str(self.tc.name)


def tree(statuses: Any) -> list[Branch]:
    """Classes as the daemon lists them, each below its parent; one whose parent is not listed is a
    root.
    """
    names = {getattr(status, "class").name for status in statuses}
    below: dict[str, list[Any]] = {}
    for status in statuses:
        parent = status.parent if status.parent in names else ""
        below.setdefault(parent, []).append(getattr(status, "class"))
    found: list[Branch] = []
    waiting = [Branch("", "", tc) for tc in reversed(below.pop("", []))]
    while waiting:
        branch = waiting.pop()
        found.append(branch)
        waiting += _below(branch, below.pop(branch.tc.name, []))
    return found


def _below(branch: Branch, classes: list[Any]) -> list[Branch]:
    """The branches under one, the first last."""
    margin = branch.drawn.replace("├─", "│ ").replace("╰─", "  ")
    last = len(classes) - 1
    drawn = [margin + ("╰─ " if index == last else "├─ ") for index in range(len(classes))]
    return [Branch(d, branch.tc.name, tc) for d, tc in zip(reversed(drawn), reversed(classes))]


@command("show tc", "draws the traffic classes of all workers")
def show_tc(shell: Shell) -> None:
    _show(shell, shell.daemon().list_tcs().classes_status)


@command("show tc worker WORKER_ID...", "draws the traffic classes of some workers")
def show_tc_of(shell: Shell, wids: list[str]) -> None:
    numbers = dict.fromkeys(whole_number("a worker id", wid) for wid in wids)
    client = shell.daemon()
    known = [str(worker.wid) for worker in client.list_workers().workers_status]
    for wid in numbers:
        check_known("worker", str(wid), known)
    _show(shell, [s for wid in numbers for s in client.list_tcs(wid).classes_status])


def _show(shell: Shell, statuses: Any) -> None:
    rows = []
    for branch in tree(statuses):
        tc = branch.tc
        worker = "none" if tc.wid < 0 else tc.wid
        policy = " ".join(filter(None, [tc.policy, "" if tc.policy == "leaf" else tc.resource]))
        rows.append([branch.label, worker, policy, rank(tc), _limits(tc)])
    columns = ["traffic class", "worker", "policy", "rank", "limit"]
    shell.table_or("There are no traffic classes.", columns, rows)


def rank(tc: Any) -> str:
    """How the parent's policy ranks a class among its siblings."""
    chosen = tc.WhichOneof("arg")
    return f"{chosen} {getattr(tc, chosen)}" if chosen else ""


def _limits(tc: Any) -> str:
    parts = [f"{count(limit)} {resource}/s" for resource, limit in sorted(tc.limit.items())]
    parts += [f"burst {count(size)} {resource}" for resource, size in sorted(tc.max_burst.items())]
    return ", ".join(parts)


@command("monitor tc [TC...]", "shows the rates of traffic classes until a key is pressed")
def monitor_tc(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()

    def listed() -> list[Branch]:
        statuses = client.list_tcs().classes_status
        known = [getattr(status, "class").name for status in statuses]
        for name in names:
            check_known("traffic class", name, known)
        return tree([s for s in statuses if not names or getattr(s, "class").name in names])

    def read() -> Readings:
        return {branch.tc.name: client.get_tc_stats(branch.tc.name) for branch in listed()}

    before = read()
    if not before:
        raise CommandError("there are no traffic classes to monitor")

    def sample() -> list[Row]:
        nonlocal before
        after = read()
        rows = tc_rows(listed(), before, after)
        before = after
        return rows

    rates = ["runs/s", "cycles/s", "pps", "bps (on the wire)", "cycles/packet"]
    columns = ["traffic class", "share %", *rates]
    watch_table(shell, columns, sample)


def tc_rows(branches: list[Branch], before: Readings, after: Readings) -> list[Row]:
    """What each class used between two readings, and its share of what it and its siblings used of
    the resource that their parent shares out, which is CPU cycles unless it says otherwise.
    """
    used = {name: _grown(before[name], after[name]) for name in after if name in before}
    resources = {b.tc.name: _FIELDS.get(b.tc.resource, "cycles") for b in branches}
    rows = []
    for branch in branches:
        name, resource = branch.tc.name, resources.get(branch.parent, "cycles")
        siblings = [b.tc.name for b in branches if _place(b) == _place(branch)]
        of = sum(used[sibling][resource] for sibling in siblings if sibling in used)
        if name in used:
            share = 100 * used[name][resource] / of if of else NOTHING
            numbers = [share, *tc_rates(before[name], after[name])]
            rows.append(Row(name, numbers, branch.label))
    return rows


def tc_rates(before: Any, after: Any) -> list[float]:
    """Runs, cycles, packets and bits a second, and cycles a packet, between two readings."""
    seconds = after.timestamp - before.timestamp
    if seconds <= 0:
        return [NOTHING] * 5
    grown = _grown(before, after)
    per_packet = grown["cycles"] / grown["packets"] if grown["packets"] else NOTHING
    return [*(amount / seconds for amount in grown.values()), per_packet]


def _grown(before: Any, after: Any) -> dict[str, int]:
    return {name: getattr(after, name) - getattr(before, name) for name in _FIELDS.values()}


def _place(branch: Branch) -> tuple[str, int]:
    """What siblings have in common: the parent, or for roots the worker."""
    return branch.parent, 0 if branch.parent else branch.tc.wid
