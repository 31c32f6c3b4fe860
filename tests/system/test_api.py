# SPDX-License-Identifier: Apache-2.0
"""Every request of the control API, by a generated client: what it answers when all is well, and
that a request that is wrong is explained and changes nothing.
"""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from demo.daemon import Daemon
from wire import Wire, generate, state

CORE = max(os.sched_getaffinity(0))

# What the success tests below call; KillBess has a test of its own in test_daemon.py.
IMPLEMENTED = (
    "GetVersion ResetAll KillBess PauseAll PauseWorker ResumeWorker ResumeAll ResetWorkers"
    " ListWorkers AddWorker DestroyWorker CheckSchedulingConstraints ListDrivers GetDriverInfo"
    " ResetPorts ListPorts CreatePort DestroyPort SetPortConf GetPortConf GetPortStats"
    " GetLinkStatus ListMclass GetMclassInfo ResetModules ListModules CreateModule DestroyModule"
    " GetModuleInfo ConnectModules DisconnectModules DumpMempool ModuleCommand ListGateHookClass"
    " GetGateHookClassInfo ConfigureGateHook ListGateHooks GateHookCommand"
    " ConfigureResumeHook ImportPlugin UnloadPlugin ListPlugins"
    " ResetTcs ListTcs AddTc UpdateTcParams UpdateTcParent GetTcStats"
).split()


@pytest.fixture(scope="module", autouse=True)
def generated(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The generated client, once."""
    generate(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module", params=["unix", "tcp"])
def connection(request: pytest.FixtureRequest, generated: None) -> Iterator[Wire]:
    """A daemon, reached in each of the two ways."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Daemon(["-p", str(port)]) as daemon:
        wire = Wire(daemon.address if request.param == "unix" else f"localhost:{port}")
        yield wire
        wire.close()


@pytest.fixture
def wire(connection: Wire) -> Wire:
    """An empty daemon; what the test before left is gone."""
    connection.ok("ResumeAll")
    connection.ok("ResetAll")
    return connection


@pytest.fixture
def running(wire: Wire) -> Wire:
    """The daemon with a pipeline: src -> pass -> queue -> out, a port, and in <- port."""
    wire.ok("AddWorker", wid=0, core=CORE)
    empty = wire.packed("EmptyArg")
    for name, mclass, arg in (
        ("src", "Source", wire.packed("SourceArg", pkt_size=64)),
        ("pass", "Bypass", wire.packed("BypassArg")),
        ("queue", "Queue", wire.packed("QueueArg", size=64)),
        ("out", "Sink", empty),
        ("table", "L2Forward", wire.packed("L2ForwardArg", size=16)),
    ):
        assert wire.ok("CreateModule", name=name, mclass=mclass, arg=arg).name == name
    for first, second in (("src", "pass"), ("pass", "queue"), ("queue", "out")):
        wire.ok("ConnectModules", m1=first, m2=second)
    null = wire.packed("PMDPortArg", vdev="net_null_api")
    wire.ok("CreatePort", name="null", driver="PMDPort", arg=null, num_out_q=2)
    wire.ok("CreateModule", name="in", mclass="PortInc", arg=wire.packed("PortIncArg", port="null"))
    return wire


def test_every_request_is_tested_here(wire: Wire) -> None:
    assert sorted(wire.methods()) == sorted(IMPLEMENTED)


def test_system(running: Wire) -> None:
    assert running.ok("GetVersion").version
    pools = running.ok("DumpMempool", socket=-1).dumps
    assert len(pools) == 1 and pools[0].initialized
    assert pools[0].mp_available_count + pools[0].mp_in_use_count == pools[0].mp_size
    running.ok("DumpMempool")
    running.ok("ResetAll")
    assert not state(running)["workers"] and len(state(running)) == 2


def test_workers(wire: Wire) -> None:
    wire.ok("AddWorker", wid=3, core=CORE, scheduler="experimental")
    wire.ok("AddWorker", wid=63, core=CORE)
    status = {w.wid: w for w in wire.ok("ListWorkers").workers_status}
    assert {wid: (w.core, w.running) for wid, w in status.items()} == {
        3: (CORE, True),
        63: (CORE, True),
    }

    def which_run() -> list[int]:
        return [w.wid for w in wire.ok("ListWorkers").workers_status if w.running]

    wire.ok("PauseWorker", wid=3)
    assert which_run() == [63]
    wire.ok("ResumeWorker", wid=3)
    wire.ok("PauseAll")
    assert which_run() == []
    wire.ok("PauseAll")
    assert not wire.ok("CheckSchedulingConstraints").fatal
    wire.ok("ResumeAll")
    assert which_run() == [3, 63]
    wire.ok("DestroyWorker", wid=3)
    assert which_run() == [63]
    wire.ok("ResetWorkers")
    assert which_run() == []


def test_traffic_classes(running: Wire) -> None:
    def tc(wid: int = -1, **fields: Any) -> dict[str, Any]:
        return {"class": {"wid": wid, **fields}}

    running.ok("AddTc", **tc(name="top", policy="weighted_fair", resource="bit"))
    slow: Any = {"resource": "packet", "limit": {"packet": 1000}, "max_burst": {"packet": 10}}
    running.ok("AddTc", **tc(name="slow", policy="rate_limit", parent="top", share=3, **slow))
    running.ok("UpdateTcParent", **tc(leaf_module_name="src", parent="slow"))
    running.ok("UpdateTcParams", **tc(name="slow", resource="packet", limit={"packet": 50}))
    listed = {s.parent: getattr(s, "class") for s in running.ok("ListTcs", wid=0).classes_status}
    assert listed["top"].name == "slow"
    assert listed["top"].limit == {"packet": 50}
    assert listed["slow"].name == "!leaf_src:0"
    assert running.ok("GetTcStats", name="slow").packets < 1000
    twice = running.call("AddTc", **tc(name="top", policy="round_robin")).error
    assert (twice.code, twice.errmsg) == (errno.EINVAL, "Name 'top' already exists")
    leaf = running.call("AddTc", **tc(name="x", policy="round_robin", parent="!leaf_src:0")).error
    assert leaf.code == errno.EPERM
    assert running.call("ResetTcs").error.code == errno.EBUSY, "a task hangs there"
    running.ok("UpdateTcParent", **tc(leaf_module_name="src", wid=0))
    running.ok("ResetTcs")
    assert "slow" not in {getattr(s, "class").name for s in running.ok("ListTcs").classes_status}


def test_ports(wire: Wire) -> None:
    assert {"PMDPort", "UnixSocketPort"} <= set(wire.ok("ListDrivers").driver_names)
    info = wire.ok("GetDriverInfo", driver_name="PMDPort")
    assert info.name == "PMDPort" and info.help
    arg = wire.packed("PMDPortArg", vdev="net_null_ports")
    made = wire.ok("CreatePort", driver="PMDPort", arg=arg, num_inc_q=2, size_inc_q=512)
    assert made.name == "pmd_port0" and len(made.mac_addr) == len("02:00:00:00:00:00")
    port = wire.ok("ListPorts").ports[0]
    shape = (port.num_inc_q, port.num_out_q, port.size_inc_q, port.size_out_q)
    assert (port.name, port.driver, shape) == ("pmd_port0", "PMDPort", (2, 1, 512, 1024))
    assert port.driver_arg == arg
    conf = wire.message("PortConf", mac_addr="02:00:00:00:00:77", mtu=1400, admin_up=True)
    wire.ok("SetPortConf", name="pmd_port0", conf=conf)
    assert wire.ok("GetPortConf", name="pmd_port0").conf == conf
    stats = wire.ok("GetPortStats", name="pmd_port0")
    assert stats.inc.packets == stats.out.packets == 0 and stats.timestamp > 0
    assert wire.ok("GetLinkStatus", name="pmd_port0").link_up
    wire.ok("DestroyPort", name="pmd_port0")
    wire.ok("CreatePort", name="again", driver="PMDPort", arg=arg)
    wire.ok("ResetPorts")
    assert not wire.ok("ListPorts").ports


def test_modules(running: Wire) -> None:
    assert {"Source", "Sink", "ACL", "NAT", "L2Forward"} <= set(running.ok("ListMclass").names)
    info = running.ok("GetMclassInfo", name="Source")
    commands = dict(zip(info.cmds, info.cmd_args))
    assert info.name == "Source" and info.help
    assert commands["set_burst"] == "SourceCommandSetBurstArg"
    assert commands["get_initial_arg"] == "EmptyArg"
    names = {m.name: m.mclass for m in running.ok("ListModules").modules}
    assert names["queue"] == "Queue" and len(names) == 6
    unnamed = running.ok("CreateModule", mclass="Bypass", arg=running.packed("BypassArg")).name
    assert unnamed == "bypass0"
    running.ok("ConnectModules", m1="table", ogate=8191, m2=unnamed, igate=3)
    gate = running.ok("GetModuleInfo", name="table").ogates[0]
    assert (gate.ogate, gate.name, gate.igate) == (8191, unnamed, 3)
    assert gate.gatehooks[0].class_name == "Track"
    running.ok("DisconnectModules", name="table", ogate=8191)
    running.ok("DisconnectModules", name="table", ogate=8191)
    running.ok("ConnectModules", m1="table", m2=unnamed, skip_default_hooks=True)
    assert not running.ok("GetModuleInfo", name="table").ogates[0].gatehooks
    running.ok("DestroyModule", name=unnamed)
    assert not running.ok("GetModuleInfo", name="table").ogates
    running.ok("ResetModules")
    assert not running.ok("ListModules").modules


def test_a_module_without_an_argument_gets_the_defaults(wire: Wire) -> None:
    assert wire.ok("CreateModule", mclass="Source").name == "source0"
    assert wire.ok("CreateModule", mclass="Sink").name == "sink0"


def test_module_commands(running: Wire) -> None:
    entry = {"addr": "02:00:00:00:00:01", "gate": 5}
    add = running.packed("L2ForwardCommandAddArg", entries=[entry])
    assert not running.ok("ModuleCommand", name="table", cmd="add", arg=add).HasField("data")
    ask = running.packed("L2ForwardCommandLookupArg", addrs=[entry["addr"]])
    answer = running.ok("ModuleCommand", name="table", cmd="lookup", arg=ask).data
    gates = running.message("L2ForwardCommandLookupResponse")
    assert answer.Unpack(gates) and list(gates.gates) == [5]
    initial = running.ok(
        "ModuleCommand", name="table", cmd="get_initial_arg", arg=running.packed("EmptyArg")
    ).data
    arg = running.message("L2ForwardArg")
    assert initial.Unpack(arg) and arg.size == 16


def test_hooks(running: Wire) -> None:
    assert "Track" in running.ok("ListGateHookClass").names
    info = running.ok("GetGateHookClassInfo", name="Track")
    assert (info.name, list(info.cmds), list(info.cmd_args)) == ("Track", ["reset"], ["EmptyArg"])
    hook = {"class_name": "Track", "hook_name": "mine", "module_name": "pass", "igate": 0}
    made = running.ok("ConfigureGateHook", hook=hook, enable=True)
    assert made.name == "mine"
    hooks = running.ok("ListGateHooks").hooks
    assert ("mine", "pass", "igate") in [
        (h.hook_name, h.module_name, h.WhichOneof("gate")) for h in hooks
    ]
    running.ok("GateHookCommand", hook=hook, cmd="reset")
    running.ok("ConfigureGateHook", hook=hook, enable=False)
    assert len(running.ok("ListGateHooks").hooks) == len(hooks) - 1


def test_resume_hooks(wire: Wire) -> None:
    for name in ("setup_metadata", "setup_taskgraph"):
        there = wire.call("ConfigureResumeHook", hook_name=name, enable=True).error
        assert (there.code, name in there.errmsg) == (errno.EEXIST, True)
        kept = wire.call("ConfigureResumeHook", hook_name=name, enable=False).error
        assert (kept.code, "cannot be disabled" in kept.errmsg) == (errno.EPERM, True)


def test_plugins(wire: Wire) -> None:
    for path in wire.ok("ListPlugins").paths:
        wire.ok("UnloadPlugin", path=path)
    assert not wire.ok("ListPlugins").paths
    assert "SequentialUpdate" not in wire.ok("ListMclass").names
    wire.ok("ImportPlugin", path="sequential_update.so")
    assert [Path(path).name for path in wire.ok("ListPlugins").paths] == ["sequential_update.so"]
    assert "SequentialUpdate" in wire.ok("ListMclass").names


def test_a_plugin_that_fails_is_minus_one_with_the_reason(wire: Wire) -> None:
    for method, path, words in (
        ("ImportPlugin", "/etc/passwd", "is not in"),
        ("ImportPlugin", "absent.so", "No such file"),
        ("ImportPlugin", "", "'path'"),
        ("UnloadPlugin", "absent.so", "'absent.so'"),
    ):
        error = wire.call(method, path=path).error
        assert error.code == -1 and words in error.errmsg, error


def test_books(running: Wire) -> None:
    running.ok("PauseAll")
    books = running.observe.GetLedger(running.message("GetLedgerRequest"))
    assert [page.name for page in books.modules] == sorted(
        module.name for module in running.ok("ListModules").modules
    )
    assert books.totals.created > 0 and books.totals.unaccounted == 0
    assert books.totals.dropped == sum(books.totals.dropped_by_reason.values())
    one = running.observe.GetLedger(running.message("GetLedgerRequest", modules=["out"]))
    assert [page.name for page in one.modules] == ["out"] and one.totals == books.totals
    with pytest.raises(grpc.RpcError) as caught:
        running.observe.GetLedger(running.message("GetLedgerRequest", modules=["out", "nobody"]))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert "'nobody'" in caught.value.details()


def wrong(
    case: str,
    method: str,
    code: int,
    /,
    *words: str,
    arg: tuple[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> Any:
    """One row of the table: a request that has to fail, so, with these words."""
    return pytest.param(method, fields, arg, code, words, id=case)


EMPTY: tuple[str, dict[str, Any]] = ("EmptyArg", {})
NULL = ("PMDPortArg", {"vdev": "net_null_other"})
HOOK = {"class_name": "Track", "module_name": "pass"}
NO_GATE = {"entries": [{"addr": "02:00:00:00:00:01", "gate": 8192}]}
MAC = {"mac_addr": "hello", "admin_up": True}

WRONG = [
    wrong("pool", "DumpMempool", errno.EINVAL, "'socket'", "-1", "7", socket=7),
    wrong("worker low", "AddWorker", errno.EINVAL, "0..63", "-1", wid=-1, core=CORE),
    wrong("worker high", "AddWorker", errno.EINVAL, "0..63", "64", wid=64, core=CORE),
    wrong("core", "AddWorker", errno.EINVAL, "'core'", "4000", str(CORE), wid=1, core=4000),
    wrong("scheduler", "AddWorker", errno.EINVAL, "'fair'", wid=1, core=CORE, scheduler="fair"),
    wrong("worker twice", "AddWorker", errno.EEXIST, "worker 0", wid=0, core=CORE),
    wrong("no worker", "DestroyWorker", errno.ENOENT, "worker 5", wid=5),
    wrong("busy worker", "DestroyWorker", errno.EBUSY, "worker 0", wid=0),
    wrong("worker range", "DestroyWorker", errno.EINVAL, "0..63", "64", wid=64),
    wrong("pause", "PauseWorker", errno.EINVAL, "0..63", "999", wid=999),
    wrong("pause none", "PauseWorker", errno.ENOENT, "worker 9", wid=9),
    wrong("resume", "ResumeWorker", errno.EINVAL, "0..63", "-5", wid=-5),
    wrong("no driver", "CreatePort", errno.ENOENT, "'Token'", "PMDPort", driver="Token", arg=EMPTY),
    wrong("which driver", "CreatePort", errno.EINVAL, "'driver'", arg=EMPTY),
    wrong(
        "port twice", "CreatePort", errno.EEXIST, "'null'", name="null", driver="PMDPort", arg=NULL
    ),
    wrong(
        "queues",
        "CreatePort",
        errno.EINVAL,
        "128",
        "129",
        driver="PMDPort",
        num_inc_q=129,
        arg=NULL,
    ),
    wrong(
        "ring",
        "CreatePort",
        errno.EINVAL,
        "4096",
        "4097",
        driver="PMDPort",
        size_out_q=4097,
        arg=NULL,
    ),
    wrong(
        "port type",
        "CreatePort",
        errno.EINVAL,
        "PMDPortArg",
        "SourceArg",
        driver="PMDPort",
        arg=("SourceArg", {}),
    ),
    wrong(
        "no device",
        "CreatePort",
        errno.ENODEV,
        "77",
        driver="PMDPort",
        arg=("PMDPortArg", {"port_id": 77}),
    ),
    wrong(
        "which device",
        "CreatePort",
        errno.EINVAL,
        "'vdev'",
        driver="PMDPort",
        arg=("PMDPortArg", {}),
    ),
    wrong("no port", "DestroyPort", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("busy port", "DestroyPort", errno.EBUSY, "'in'", "'null'", name="null"),
    wrong("busy ports", "ResetPorts", errno.EBUSY, "'in'", "'null'"),
    wrong("mac", "SetPortConf", errno.EINVAL, "'hello'", name="null", conf=MAC),
    wrong(
        "mtu", "SetPortConf", errno.EINVAL, "'mtu'", "1000000", name="null", conf={"mtu": 1000000}
    ),
    wrong("conf of none", "GetPortConf", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("stats of none", "GetPortStats", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("link of none", "GetLinkStatus", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("driver info", "GetDriverInfo", errno.ENOENT, "'nothing'", driver_name="nothing"),
    wrong("driver info of", "GetDriverInfo", errno.EINVAL, "'driver_name'"),
    wrong("class", "CreateModule", errno.ENOENT, "'Sauce'", mclass="Sauce", arg=EMPTY),
    wrong("which class", "CreateModule", errno.EINVAL, "'mclass'", arg=EMPTY),
    wrong(
        "module twice", "CreateModule", errno.EEXIST, "'src'", name="src", mclass="Sink", arg=EMPTY
    ),
    wrong(
        "module type",
        "CreateModule",
        errno.EINVAL,
        "SourceArg",
        "NATArg",
        mclass="Source",
        arg=("NATArg", {}),
    ),
    wrong(
        "init",
        "CreateModule",
        errno.EINVAL,
        "'size'",
        "4..16384",
        "5",
        mclass="Queue",
        arg=("QueueArg", {"size": 5}),
    ),
    wrong(
        "port of none",
        "CreateModule",
        errno.ENODEV,
        "'x'",
        mclass="PortInc",
        arg=("PortIncArg", {"port": "x"}),
    ),
    wrong(
        "port taken",
        "CreateModule",
        errno.EBUSY,
        "'in'",
        mclass="PortInc",
        arg=("PortIncArg", {"port": "null"}),
    ),
    wrong("class info", "GetMclassInfo", errno.ENOENT, "'Sauce'", name="Sauce"),
    wrong("class info of", "GetMclassInfo", errno.EINVAL, "'name'"),
    wrong("module info", "GetModuleInfo", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("module info of", "GetModuleInfo", errno.EINVAL, "'name'"),
    wrong("destroy", "DestroyModule", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("destroy what", "DestroyModule", errno.EINVAL, "'name'"),
    wrong("connect from", "ConnectModules", errno.ENOENT, "'nothing'", m1="nothing", m2="out"),
    wrong("connect to", "ConnectModules", errno.ENOENT, "'nothing'", m1="table", m2="nothing"),
    wrong("connect what", "ConnectModules", errno.EINVAL, "'m1'", "'m2'", m1="table"),
    wrong("gate taken", "ConnectModules", errno.EBUSY, "'src'", "'pass'", m1="src", m2="out"),
    wrong(
        "output gate",
        "ConnectModules",
        errno.EINVAL,
        "'table'",
        "8192",
        m1="table",
        ogate=8192,
        m2="out",
    ),
    wrong(
        "input gate", "ConnectModules", errno.EINVAL, "'out'", "1", m1="table", m2="out", igate=1
    ),
    wrong(
        "huge gate",
        "ConnectModules",
        errno.EINVAL,
        str(2**63),
        m1="table",
        ogate=2**63,
        m2="out",
    ),
    wrong("gateless", "ConnectModules", errno.EINVAL, "'out'", m1="out", m2="pass"),
    wrong("cut", "DisconnectModules", errno.ENOENT, "'nothing'", name="nothing"),
    wrong("cut what", "DisconnectModules", errno.EINVAL, "'name'"),
    wrong("cut where", "DisconnectModules", errno.EINVAL, "'src'", "1", name="src", ogate=1),
    wrong(
        "command of none",
        "ModuleCommand",
        errno.ENOENT,
        "'nothing'",
        name="nothing",
        cmd="add",
        arg=EMPTY,
    ),
    wrong("command of what", "ModuleCommand", errno.EINVAL, "'name'", cmd="add", arg=EMPTY),
    wrong(
        "command",
        "ModuleCommand",
        errno.ENOTSUP,
        "'jump'",
        "set_burst",
        name="src",
        cmd="jump",
        arg=EMPTY,
    ),
    wrong(
        "command type",
        "ModuleCommand",
        errno.EINVAL,
        "SourceCommandSetBurstArg",
        "EmptyArg",
        name="src",
        cmd="set_burst",
        arg=EMPTY,
    ),
    wrong(
        "command bound",
        "ModuleCommand",
        errno.EINVAL,
        "64",
        "65",
        name="src",
        cmd="set_burst",
        arg=("SourceCommandSetBurstArg", {"burst": 65}),
    ),
    wrong(
        "table gate",
        "ModuleCommand",
        errno.EINVAL,
        "8191",
        "8192",
        name="table",
        cmd="add",
        arg=("L2ForwardCommandAddArg", NO_GATE),
    ),
    wrong(
        "hook class",
        "ConfigureGateHook",
        errno.ENOENT,
        "'Spy'",
        enable=True,
        hook=HOOK | {"class_name": "Spy"},
    ),
    wrong(
        "hook module",
        "ConfigureGateHook",
        errno.ENOENT,
        "'nothing'",
        enable=True,
        hook=HOOK | {"module_name": "nothing"},
    ),
    wrong(
        "hook gate",
        "ConfigureGateHook",
        errno.EINVAL,
        "'pass'",
        "9",
        enable=True,
        hook=HOOK | {"ogate": 9},
    ),
    wrong(
        "hook below",
        "ConfigureGateHook",
        errno.EINVAL,
        "'ogate'",
        "-2",
        enable=True,
        hook=HOOK | {"ogate": -2},
    ),
    wrong(
        "hook fifo",
        "ConfigureGateHook",
        errno.EINVAL,
        "'fifo'",
        enable=True,
        hook=HOOK | {"class_name": "TcpDump"},
    ),
    wrong("resume hook", "ConfigureResumeHook", errno.ENOENT, "'x'", hook_name="x", enable=True),
    wrong("resume hook off", "ConfigureResumeHook", errno.ENOENT, "'x'", hook_name="x"),
    wrong("resume hook which", "ConfigureResumeHook", errno.EINVAL, "'hook_name'", enable=True),
    wrong("hook info", "GetGateHookClassInfo", errno.ENOENT, "'Spy'", name="Spy"),
    wrong("hook info of", "GetGateHookClassInfo", errno.EINVAL, "'name'"),
    wrong(
        "hook command",
        "GateHookCommand",
        errno.ENOTSUP,
        "'jump'",
        "reset",
        hook=HOOK | {"ogate": 0},
        cmd="jump",
    ),
]


@pytest.mark.parametrize("method, fields, arg, code, words", WRONG)
def test_a_wrong_request_is_explained_and_changes_nothing(
    running: Wire, method: str, fields: Any, arg: Any, code: int, words: tuple[str, ...]
) -> None:
    before = state(running)
    packed = {} if arg is None else {"arg": running.packed(arg[0], **arg[1])}
    error = running.call(method, **fields, **packed).error
    assert (error.code, os.strerror(error.code)) == (code, os.strerror(code)), error.errmsg
    for word in words:
        assert word in error.errmsg, error.errmsg
    assert state(running) == before


def test_garbage_in_an_argument_is_refused(running: Wire) -> None:
    before = state(running)
    garbage = running.message_any()
    for type_url in ("", "type.googleapis.com/bess.pb.SourceArg", "x", "/" * 1000):
        garbage.type_url, garbage.value = type_url, b"\xff\xff\xff\xff"
        error = running.call("CreateModule", mclass="Source", arg=garbage).error
        assert error.code == errno.EINVAL and "SourceArg" in error.errmsg, type_url
    assert state(running) == before


def test_a_request_that_is_too_long_is_refused(connection: Wire) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        connection.call("CreateModule", name="x" * (257 << 20), mclass="Sink")
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert connection.ok("GetVersion").version
