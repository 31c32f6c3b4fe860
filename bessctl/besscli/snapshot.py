# SPDX-License-Identifier: Apache-2.0
"""What a daemon runs, read through the control API, and put back after a script failed on it.

A snapshot holds what the API tells: workers, traffic classes, ports, modules with their first
arguments, connections. Rules that commands added, counters and the state of flows are not in it;
`lost` names what could not be read.
"""

from dataclasses import dataclass, field
from typing import Any

from pybess.errors import Error, RPCError

_SHAPE = ("num_inc_q", "num_out_q", "size_inc_q", "size_out_q")
_TABLE_COMMANDS = {"add", "set_runtime_config"}


@dataclass
class Snapshot:
    """The state of a daemon, as requests that make it again."""

    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    modules: set[tuple[str, str]] = field(default_factory=set)
    connections: set[tuple[str, int, str, int]] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)

    def is_of(self, pipeline: Any) -> bool:
        """Whether a recorded pipeline has these modules and connections."""
        return self.modules == {
            (m.name, m.mclass) for m in pipeline.modules
        } and self.connections == {(c.m1, c.ogate, c.m2, c.igate) for c in pipeline.connections}

    def restore(self, client: Any) -> None:
        """Makes everything again on a daemon that was reset."""
        for method, fields in self.requests:
            client.request(method, fields)


def take(client: Any) -> Snapshot:
    """Reads what runs now."""
    snapshot = Snapshot()
    for worker in client.list_workers().workers_status:
        snapshot.requests.append(("AddWorker", {"wid": worker.wid, "core": worker.core}))
    leaves = _traffic_classes(client, snapshot)
    for port in client.list_ports().ports:
        fields = {key: getattr(port, key) for key in ("name", "driver", *_SHAPE)}
        snapshot.requests.append(("CreatePort", fields | {"arg": port.driver_arg}))
    names = [(module.name, module.mclass) for module in client.list_modules().modules]
    for name, mclass in names:
        arg = _first_argument(client, snapshot, name, mclass)
        snapshot.modules.add((name, mclass))
        snapshot.requests.append(("CreateModule", {"name": name, "mclass": mclass, "arg": arg}))
        if _TABLE_COMMANDS & set(client.command_types(mclass)):
            snapshot.lost.append(f"rules added to {name}")
    for name, _ in names:
        for gate in client.get_module_info(name).ogates:
            snapshot.connections.add((name, gate.ogate, gate.name, gate.igate))
            fields = {"m1": name, "ogate": gate.ogate, "m2": gate.name, "igate": gate.igate}
            snapshot.requests.append(("ConnectModules", fields))
    snapshot.requests += leaves
    return snapshot


def _traffic_classes(client: Any, snapshot: Snapshot) -> list[tuple[str, dict[str, Any]]]:
    """Adds the named traffic classes, parents first; returns the requests that put tasks under
    them.
    """
    leaves: list[tuple[str, dict[str, Any]]] = []
    try:
        statuses = client.list_tcs().classes_status
    except (Error, RPCError):
        snapshot.lost.append("traffic classes")
        return leaves
    waiting = [(getattr(status, "class"), status.parent) for status in statuses]
    made: set[str] = set()
    while waiting:
        ready = [
            pair
            for pair in waiting
            if pair[0].policy == "leaf" or not _is_named(pair[1]) or pair[1] in made
        ]
        if not ready:
            snapshot.lost += [f"traffic class {tc.name}" for tc, _ in waiting]
            break
        waiting = [pair for pair in waiting if not any(pair is other for other in ready)]
        for tc, parent in ready:
            copy = type(tc)()
            copy.CopyFrom(tc)
            copy.parent = parent if _is_named(parent) else ""
            copy.wid = -1 if copy.parent else tc.wid
            if tc.policy == "leaf":
                copy.name = copy.policy = ""
                leaves.append(("UpdateTcParent", {"class": copy}))
            elif _is_named(tc.name):
                made.add(tc.name)
                snapshot.requests.append(("AddTc", {"class": copy}))
    return leaves


def _is_named(tc: str) -> bool:
    return bool(tc) and not tc.startswith("!")


def _first_argument(client: Any, snapshot: Snapshot, name: str, mclass: str) -> Any:
    message_class = client.protos.find(f"{mclass}Arg") or client.protos.message("EmptyArg")
    if not message_class.DESCRIPTOR.fields:
        return message_class()
    try:
        answer = client.run_module_command(name, "get_initial_arg", "EmptyArg", {})
    except Error:
        answer = None
    if answer is None or answer.DESCRIPTOR.name == "CommandResponse":
        snapshot.lost.append(f"the arguments of {name}")
        return message_class()
    return answer
