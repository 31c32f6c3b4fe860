# SPDX-License-Identifier: Apache-2.0
"""Scripts against a recorder: the state they desire, and what is wrong with them."""

import os
from pathlib import Path

import pytest
from besslang import Catalogue, NeedsDaemon, RecordingClient, Script, ScriptError, load, rehearse
from besslang.recorder import Command, Connection, Module, Port, Worker


def test_records_the_desired_state() -> None:
    pipeline = load(
        """
p0::PMDPort(vdev='net_null0', num_inc_q=2)
bess.add_worker(wid=0, core=1)
bess.add_tc('slow', policy='rate_limit', resource='bit', limit={'bit': 1e9}, wid=0)
src::PortInc(port=p0) -> em::ExactMatch(fields=[{'offset': 0, 'num_bytes': 2}])
em:1 -> 3:m::Merge() -> Sink()
em.add(fields=[{'value_int': 3}], gate=1)
src.attach_task('slow')
"""
    )
    assert pipeline.ports == [
        Port("p0", "PMDPort", "bess.pb.PMDPortArg", {"vdev": "net_null0"}, num_inc_q=2)
    ]
    assert pipeline.workers == [Worker(0, 1)]
    assert pipeline.tcs[0]["limit"] == {"bit": 1000000000}
    assert pipeline.attachments[0]["leaf_module_name"] == "src"
    assert [module.name for module in pipeline.modules] == ["src", "em", "m", "sink0"]
    assert pipeline.modules[0] == Module("src", "PortInc", "bess.pb.PortIncArg", {"port": "p0"})
    assert pipeline.connections[1] == Connection("em", 1, "m", 3)
    arg = {"gate": 1, "fields": [{"value_int": 3}]}
    assert pipeline.commands == [Command("em", "add", "bess.pb.ExactMatchCommandAddArg", arg)]
    edge = {"m1": "src", "ogate": 0, "m2": "em", "igate": 0, "skip_default_hooks": False}
    assert pipeline.to_dict()["connections"][0] == edge


def test_the_value_of_a_chain_is_its_last_module() -> None:
    pipeline = load("x = a::Bypass() -> 2:b::Bypass():5 -> 1:c::Bypass()\nx:3 -> a")
    assert pipeline.connections == [
        Connection("a", 0, "b", 2),
        Connection("b", 5, "c", 1),
        Connection("c", 3, "a", 0),
    ]


def test_python_operators_mean_the_same() -> None:
    assert load("a::Bypass(); b::Bypass()\na*1 + 2*b").connections == [Connection("a", 1, "b", 2)]


def test_several_names_make_several_modules() -> None:
    assert [module.name for module in load("a, b::Queue(size=8)\na -> b").modules] == ["a", "b"]


def test_names_are_made_up_in_order() -> None:
    assert [m.name for m in load("Source() -> Sink()\nSource()").modules] == [
        "source0",
        "sink0",
        "source1",
    ]


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_ENV", "7")
    text = "Source(pkt_size=int($A!60)); Source(pkt_size=int($FROM_ENV)); Source(name=$N)"
    pipeline = load(text, env={"N": "last"})
    assert [module.arg.get("pkt_size") for module in pipeline.modules] == [60, 7, None]
    assert pipeline.modules[2].name == "last"


def test_variables_are_in_the_environment_of_the_script_only() -> None:
    load("import os\nassert os.environ['ONLY_HERE'] == '3'\n", env={"ONLY_HERE": 3})
    assert "ONLY_HERE" not in os.environ


def test_scripts_may_ask_for_what_they_made() -> None:
    load(
        """
a::Source() -> b::Sink()
assert [m.name for m in bess.list_modules().modules] == ['a', 'b']
assert bess.get_module_info('b').igates[0].ogates[0].name == 'a'
bess.add_tc('x', policy='round_robin', wid=0)
a.attach_task('x')
assert a.tasks()[0].leaf_module_name == 'a'
assert a.name == 'a' and __bess_creators__['Source'] is Source
try:
    Sink(name='b')
    raise ConfError('made twice')
except bess.Error as error:
    assert error.code == 17
"""
    )


REJECTIONS = [
    (
        "a::Source()\nb::Source(pktsize=3)",
        2,
        1,
        "SourceArg has no field 'pktsize'; its fields are: pkt_size",
    ),
    ("x::Source() -> y", 1, 16, "name 'y' is not defined"),
    ("Sorce() -> Sink()", 1, 1, "did you mean Source?"),
    ("a::Sorce()", 1, 1, "there is no module class or driver 'Sorce'"),
    (
        "m::Merge()\nm:1 -> Sink(); m:1 -> Sink()",
        2,
        16,
        "output gate 1 of 'm' already leads to 'sink0'",
    ),
    ("raise ConfError('no such link')", 1, 1, "ConfError: no such link"),
    ("x = $NOT_SET_ANYWHERE", 1, 5, "give it one: run FILE NOT_SET_ANYWHERE=VALUE"),
    (
        "src::Source()\nsrc.set_brst(burst=3)",
        2,
        1,
        "Source has no command 'set_brst'; its commands are:",
    ),
    ("def f():\n  é::Source(foo=1)\nf()", 2, 3, "SourceArg has no field 'foo'"),
    ("a::Source() -> 3", 1, 1, "a can be connected to a module only, not to 3"),
    ("a::Source():-1 -> Sink()", 1, 1, "a gate is a number, not -1"),
    ("a::Source():8192 -> Sink()", 1, 1, "there is no gate 8192: the last one is 8191"),
    ("a::Source(); a::Sink()", 1, 14, "'a' is already the name of a::Source"),
    ("bess.connect_modules('x', 'y')", 1, 1, "there is no module 'x'; known are: none"),
    ("1 / 0", 1, 1, "ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(3)", 1, 13, "the script ended itself: 3"),
    ("Source(1)", 1, 1, "Source takes keyword arguments, not 1"),
    ("Source()\nx = \0", 2, 5, "'\\x00' does not belong here"),
    ("x = " + "-" * 200000 + "1", 1, 1, "nested too deeply"),
    ("Queue(size=-1)", 1, 12, "size: cannot be -1"),
    ("a::Source() -> q::Queue(size=-1) -> Sink()", 1, 30, "size: cannot be -1"),
    ("a, b::Queue(size=-1)", 1, 18, "size: cannot be -1"),
    ("s::Source()\ns.set_burst(\n  burst='x')", 3, 9, "burst: needs a number"),
    ("ACL(rules=[{},\n {'src_ip': 3}])", 1, 11, "rules[1].src_ip: needs a string"),
]


@pytest.mark.parametrize("text, line, column, reason", REJECTIONS)
def test_rejects(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(ScriptError) as caught:
        load(text)
    assert (caught.value.line, caught.value.column + 1) == (line, column), str(caught.value)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "p::PMDPort(port_id=0)\nprint(p.mac_addr)\n",
        "p::PMDPort(port_id=0)\nif bess.list_ports().ports[0].mac_addr == 'x': pass",
        "macs = {}\nmacs[PMDPort(port_id=0).mac_addr] = 0",
        "print('{:d}'.format(int(Measure().get_summary())))\n",
        "m::Measure()\nprint(m.get_summary().packets)",
        "bess.get_port_stats('x')",
        "try:\n    bess.dump_mempool()\nexcept Exception:\n    pass",
    ],
)
def test_what_only_a_daemon_knows(text: str) -> None:
    with pytest.raises(NeedsDaemon):
        rehearse(Script.parse(text), RecordingClient(), {})


def test_the_world_outside_may_need_a_real_port() -> None:
    with pytest.raises(NeedsDaemon, match="line 2"):
        rehearse(
            Script.parse("p::UnixSocketPort(path='@x')\nopen('/nonexistent')"),
            RecordingClient(),
            {},
        )
    with pytest.raises(ScriptError):
        rehearse(Script.parse("open('/nonexistent')\n"), RecordingClient(), {})


def test_a_search_for_hardware_ports_ends() -> None:
    load(
        "i = 0\nwhile True:\n    try: PMDPort(port_id=i)\n    except bess.Error: break\n    i += 1\n"
    )


def test_an_explicit_catalogue_rules() -> None:
    catalogue = Catalogue({"Mine": {"poke": "SourceArg"}}, [])
    pipeline = load("m::Mine()\nm.poke(pkt_size=9)", RecordingClient(catalogue))
    assert pipeline.modules[0].arg_type == "bess.pb.EmptyArg"
    assert pipeline.commands[0].arg == {"pkt_size": 9}
    with pytest.raises(ScriptError, match="has no command 'other'"):
        load("m::Mine()\nm.other()", RecordingClient(catalogue))


def test_a_file_is_known_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "helper_of_conf.py").write_text("SIZE = 99\n")
    script = tmp_path / "conf.bess"
    script.write_text("from helper_of_conf import SIZE\nSource(pkt_size=SIZE)\nbad\n")
    with pytest.raises(ScriptError) as caught:
        load(script)
    assert str(caught.value).startswith(f"{script}:3:1: name 'bad' is not defined")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    script = tmp_path / "conf.bess"
    script.write_bytes(b"Source()\r\nx = '\xff'\n")
    with pytest.raises(ScriptError) as caught:
        load(script)
    assert str(caught.value) == f"{script}:2:6: byte 0xff is no UTF-8 text"


def test_all_classes_are_derived() -> None:
    modules = RecordingClient().catalogue.modules
    assert len(modules) >= 62
    assert {"MPLSPop", "NoOP", "DRR", "UpdateTTL"} <= set(modules) and not {
        "NoOp",
        "DRRQuantum",
    } & set(modules)
