# SPDX-License-Identifier: Apache-2.0
"""The client: plain data to messages and back, addresses, and its errors against a fake daemon."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from fake_daemon import FakeDaemon
from pybess import Transaction, address
from pybess.bess import BESS, APIError, ConstraintError, Error, RPCError
from pybess.convert import from_message, to_message
from pybess.protos import protos

ROUND_TRIPS: list[tuple[str, dict[str, Any]]] = [
    ("ExactMatchArg", {"fields": [{"offset": 3, "num_bytes": 2}], "entries": 7}),
    ("WorkerSplitArg", {"worker_gates": {0: 1, 5: 2}}),
    (
        "NATArg",
        {"ext_addrs": [{"ext_addr": "1.2.3.4", "port_ranges": [{"begin": 1, "suspended": True}]}]},
    ),
    ("RewriteArg", {"templates": [b"\x00\xff", b"x"]}),
    ("MeasureCommandGetSummaryArg", {"latency_percentiles": [50.0, 99.9]}),
    ("TrafficClass", {"name": "x", "limit": {"bit": 10**9}}),
]

REFUSALS: list[tuple[str, Any, str]] = [
    ("SourceArg", {"pktsize": 1}, "SourceArg has no field 'pktsize'; its fields are: pkt_size"),
    ("SinkArg", {"x": 1}, "SinkArg has no field 'x'; it takes none"),
    ("ExactMatchArg", {"fields": [{}, {"offest": 1}]}, "fields[1]: Field has no field 'offest'"),
    ("ExactMatchArg", {"fields": {"offset": 1}}, "fields: needs a list, not {'offset': 1}"),
    ("ExactMatchArg", {"fields": [3]}, "fields[0]: Field needs a dict of its fields, not 3"),
    (
        "ExactMatchArg",
        {"fields": [{"offset": 1, "attr_name": "a"}]},
        "takes either 'offset' or 'attr_name'",
    ),
    ("SourceArg", {"pkt_size": -1}, "pkt_size: cannot be -1; it is 0..18446744073709551615"),
    ("HistoryRequest", {"limit": -1}, "limit: cannot be -1; it is 0..4294967295"),
    ("SourceArg", {"pkt_size": 1.5}, "pkt_size: cannot be 1.5"),
    ("SourceArg", {"pkt_size": "60"}, "pkt_size: needs a number, not '60'"),
    ("PortIncArg", {"port": 3}, "port: needs a string, not 3"),
    ("PortIncArg", {"prefetch": "yes"}, "prefetch: needs True or False, not 'yes'"),
    ("WorkerSplitArg", {"worker_gates": [1]}, "worker_gates: needs a dict, not [1]"),
    ("WorkerSplitArg", {"worker_gates": {0: -1}}, "worker_gates[0]: cannot be -1"),
]


@pytest.mark.parametrize("name, data", ROUND_TRIPS)
def test_round_trip(name: str, data: dict[str, Any]) -> None:
    assert from_message(to_message(protos().message(name), data)) == data


@pytest.mark.parametrize("name, data, reason", REFUSALS)
def test_refusal_names_the_field(name: str, data: Any, reason: str) -> None:
    with pytest.raises(APIError) as caught:
        to_message(protos().message(name), data)
    assert reason in str(caught.value)


def test_lossless_changes_of_type() -> None:
    message = to_message(protos().message("RewriteArg"), {"templates": ["text"]})
    assert message.templates[0] == b"text"
    assert to_message(protos().message("PortIncArg"), {"port": b"p0", "prefetch": 1}).port == "p0"
    assert to_message(protos().message("SourceArg"), {"pkt_size": 60.0}).pkt_size == 60
    assert to_message(protos().message("SourceArg"), {"pkt_size": None}).pkt_size == 0


def test_a_present_but_empty_choice_is_kept() -> None:
    message = to_message(protos().message("FieldData"), {"value_int": 0})
    assert message.WhichOneof("encoding") == "value_int"


@pytest.mark.parametrize(
    "text, result",
    [
        ("unix:/a/b", "unix:/a/b"),
        ("/a/b", "unix:/a/b"),
        ("10515", "localhost:10515"),
        ("host:1", "host:1"),
        ("[::1]:10514", "[::1]:10514"),
    ],
)
def test_addresses(text: str, result: str) -> None:
    assert address.normalize(text) == result


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:x", "0", "65536", "h:70000"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(APIError, match="is no address"):
        address.normalize(text)


def test_default_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake: FakeDaemon) -> None:
    monkeypatch.delenv("BESS_GRPC_URL", raising=False)
    monkeypatch.setattr(address, "default_socket", lambda: str(tmp_path / "absent"))
    assert address.default_address() == "localhost:10514"
    monkeypatch.setattr(address, "default_socket", lambda: fake.address.removeprefix("unix:"))
    assert address.default_address() == fake.address
    monkeypatch.setenv("BESS_GRPC_URL", "1234")
    assert address.default_address() == "localhost:1234"


def test_every_place_that_was_looked_at_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as taken:  # and not listening
        taken.bind(("127.0.0.1", 0))
        legacy = f"localhost:{taken.getsockname()[1]}"
        monkeypatch.delenv("BESS_GRPC_URL", raising=False)
        monkeypatch.setattr(address, "default_socket", lambda: str(tmp_path / "absent"))
        monkeypatch.setattr(address, "LEGACY_ADDRESS", legacy)
        with pytest.raises(RPCError) as caught:
            BESS().connect()
    assert str(caught.value) == (
        f"no daemon answers at {tmp_path}/absent, nor at {legacy}; `bessctl daemon start` starts one"
    )


def test_runtime_directory_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert address.default_socket() == "/run/bessd/bessd.sock"
    monkeypatch.setattr(os, "geteuid", lambda: 42)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/42")
    assert address.default_socket() == "/run/user/42/bessd/bessd.sock"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert address.default_socket() == "/tmp/bessd-42/bessd.sock"


@pytest.fixture(name="bess")
def connected(fake: FakeDaemon) -> BESS:
    client = BESS()
    client.connect(fake.address)
    return client


def test_builds_a_pipeline(bess: BESS, fake: FakeDaemon) -> None:
    bess.create_port("PMDPort", "p0", {"vdev": "net_null0", "num_inc_q": 2})
    assert bess.create_module("Source", arg={"pkt_size": 60}).name == "source0"
    bess.create_module("Sink", "sink")
    bess.connect_modules("source0", "sink")
    bess.run_module_command("source0", "set_burst", "SourceCommandSetBurstArg", {"burst": 8})
    bess.add_tc("x", policy="round_robin", wid=0)
    bess.attach_module("source0", "x")
    bess.resume_all()
    state = fake.state.pipeline
    assert (state.ports[0].num_inc_q, state.ports[0].arg) == (2, {"vdev": "net_null0"})
    assert state.connections[0].m2 == "sink" and state.commands[0].arg == {"burst": 8}
    assert fake.calls[-2:] == ["CheckSchedulingConstraints", "ResumeAll"]


def test_an_answer_is_unpacked(bess: BESS) -> None:
    bess.create_module("Source", "s", {"pkt_size": 60})
    assert bess.run_module_command("s", "get_initial_arg", "EmptyArg", {}).pkt_size == 60


def test_refused_by_the_daemon(bess: BESS) -> None:
    with pytest.raises(Error) as caught:
        bess.connect_modules("a", "b")
    assert caught.value.code == 2 and "there is no module 'a'" in caught.value.errmsg
    assert caught.value.info["request"] == "ConnectModules"


def test_constraints_are_checked_before_resuming(
    bess: BESS, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = protos().message("CheckSchedulingConstraintsResponse")(fatal=True)
    found.modules.add(name="q")
    monkeypatch.setattr(bess, "check_scheduling_constraints", lambda: found)
    with pytest.raises(ConstraintError, match="module q"):
        bess.resume_all()
    bess.resume_all(check=False)
    bess.uncheck_resume_all()
    bess.resume_all()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(RPCError, match="no daemon answers at unix:"):
        BESS().connect(f"unix:{tmp_path}/nothing")


def test_the_daemon_goes(bess: BESS, fake: FakeDaemon) -> None:
    fake.stop()
    with pytest.raises(RPCError, match="no daemon answers"):
        bess.list_modules()
    assert bess.is_connected() and bess.is_connection_broken()


def test_the_daemon_ends_in_the_middle_of_a_request(bess: BESS, fake: FakeDaemon) -> None:
    fake.broken_off.add("ListModules")
    with pytest.raises(RPCError) as caught:
        bess.list_modules()
    assert str(caught.value) == f"the daemon at {fake.address} ended"
    assert bess.is_connection_broken()


def test_a_command_s_module_is_looked_for_before_its_type(bess: BESS) -> None:
    bess.create_module("Source", "s")
    with pytest.raises(Error, match="there is no module 'nosuch'"):
        bess.run_module_command("nosuch", "x", "y", {})
    with pytest.raises(APIError, match="Source has no command 'x'; its commands are: "):
        bess.run_module_command("s", "x", "y", {})
    for client in (bess, Transaction(bess)):
        with pytest.raises(APIError, match="there is no message 'y'"):
            client.run_module_command("s", "set_burst", "y", {})


def test_what_the_daemon_does_not_know(bess: BESS) -> None:
    with pytest.raises(RPCError, match="does not know ResetTcs"):
        bess.request("ResetTcs")


def test_not_connected() -> None:
    with pytest.raises(APIError, match="not connected"):
        BESS().list_modules()


def test_every_method_of_the_service_is_reachable() -> None:
    source = Path(address.__file__).with_name("client.py").read_text()
    missing = [
        name for name in protos().methods("bess.pb.BESSControl") if f'"{name}"' not in source
    ]
    assert missing == ["ResetWorkers", "ResetTcs"]
