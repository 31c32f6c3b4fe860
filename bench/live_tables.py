# SPDX-License-Identifier: Apache-2.0
"""How fast tables fill over gRPC while packets are looked up in them, and how soon a daemon that was
killed forwards again.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from demo.daemon import Daemon
from pybess.live import LIVE, ModuleCommand
from bounded import Figure, fresh_daemon, set_burst
from worker_clock import PATIENCE_SECONDS, last_core

BATCH = 1000  # commands in a message
KILLS = 10
POLL_SECONDS = 0.002
FIELD = {"offset": 30, "num_bytes": 4}  # the destination address


@dataclass
class Table:
    """A class with rules, its argument, the command of a number, and the bound."""

    mclass: str
    arg: dict[str, Any]
    arg_type: str
    command: Callable[[int], dict[str, Any]]
    commands: int
    bound: int  # rules a second
    rules: int = 1  # in a command


def address(number: int) -> str:
    """Of some host in 10.0.0.0/8."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def exact(number: int) -> dict[str, Any]:
    """The destination is a number."""
    return {"gate": 0, "fields": [{"value_int": number}]}


def wildcard(number: int) -> dict[str, Any]:
    """The destination is a number, under the same mask for all rules."""
    value, mask = [{"value_int": number}], [{"value_int": 0xFFFFFFFF}]
    return {"gate": 0, "priority": 1, "values": value, "masks": mask}


def accesses(number: int) -> dict[str, Any]:
    """A hundred rules of an ACL, as many as there are in a command."""
    rules = [{"dst_ip": address(100 * number + i), "drop": True} for i in range(100)]
    return {"rules": rules}


TABLES = (
    Table(
        "IPLookup",
        {"max_rules": 1 << 18, "max_tbl8s": 1 << 10},
        "IPLookupCommandAddArg",
        lambda i: {"prefix": address(i), "prefix_len": 32, "gate": 0},
        100_000,
        200_000,
    ),
    Table(
        "ExactMatch",
        {"fields": [FIELD], "entries": 1 << 17},
        "ExactMatchCommandAddArg",
        exact,
        100_000,
        200_000,
    ),
    Table(
        "WildcardMatch",
        {"fields": [FIELD], "entries": 1 << 15},
        "WildcardMatchCommandAddArg",
        wildcard,
        20_000,
        50_000,
    ),
    Table("ACL", {"rules": []}, "ACLArg", accesses, 200, 50_000, rules=100),
)


def batches(table: Table) -> Iterator[list[ModuleCommand]]:
    """All rules, some hundreds in a message."""
    commands: list[ModuleCommand] = [
        ("table", "add", table.arg_type, table.command(i)) for i in range(table.commands)
    ]
    for start in range(0, len(commands), BATCH):
        yield commands[start : start + BATCH]


def forward_through(client: Any, mclass: str, arg: dict[str, Any]) -> None:
    """Packets that run through a table."""
    client.pause_all()  # so that no packet is made before it has somewhere to go
    client.create_module("Source", "src")
    client.create_module(mclass, "table", arg)
    client.create_module("Sink", "out")
    client.connect_modules("src", "table")
    client.connect_modules("table", "out")
    set_burst(client, "src", 32)
    client.resume_all()


def tell(daemon: Daemon, client: Any, messages: list[bytes]) -> list[Any]:
    """Sends what was written beforehand, so that what that takes in Python does not count."""
    path, _, response_class = client.protos.method(LIVE, "BulkCommand")
    with grpc.insecure_channel(daemon.address) as channel:
        call = channel.stream_stream(path, response_deserializer=response_class.FromString)
        return list(call(iter(messages)))


def bulk_rates() -> Iterator[Figure]:
    """Rules a second."""
    for table in TABLES:
        with fresh_daemon() as (daemon, client):
            forward_through(client, table.mclass, table.arg)
            messages = [client.bulk_request(batch).SerializeToString() for batch in batches(table)]
            start = time.monotonic()
            answers = tell(daemon, client, messages)
            seconds = time.monotonic() - start
            bad = [o.message for answer in answers for o in answer.outcomes if o.code != 0]
            assert not bad, bad[0]
        rate = table.commands * table.rules / seconds
        yield Figure(f"rules into {table.mclass}", rate, table.bound, "1/s", at_least=True)


def await_packets(client: Any) -> None:
    """Returns once a packet has come through."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.get_ledger(["out"]).modules[0].consumed == 0:
        assert time.monotonic() < deadline, "no packet came through"
        time.sleep(POLL_SECONDS)


def restarts() -> Iterator[Figure]:
    """From the start of a daemon whose predecessor was killed until packets flow again."""
    times = []
    with tempfile.TemporaryDirectory(prefix="bessd-") as directory:
        journal = f"--journal={directory}/journal"
        with Daemon([journal], directory=Path(directory)) as daemon:
            client = daemon.client()
            client.add_worker(0, last_core())
            forward_through(client, "ExactMatch", {"fields": [FIELD]})
            default = "ExactMatchCommandSetDefaultGateArg"
            client.run_module_command("table", "set_default_gate", default, {"gate": 0})
            await_packets(client)
            daemon.kill()
        for _ in range(KILLS):
            with Daemon([journal], directory=Path(directory)) as daemon:
                ready = time.monotonic()
                await_packets(daemon.client())
                times.append(daemon.start_seconds + time.monotonic() - ready)
                daemon.kill()
    yield Figure(f"restart, forwarding again: longest of {KILLS}", max(times), 1, "s")
