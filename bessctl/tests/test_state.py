# SPDX-License-Identifier: Apache-2.0
"""Scripts to states and back: nothing is lost on the way, and nothing depends on chance."""

from pathlib import Path
from typing import Any

import pytest
from besslang import RecordingClient, Script, Writer, load, rehearse, to_state
from fake_live import entries, message
from pybess.convert import pack
from pybess.errors import APIError
from pybess.protos import protos

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "sample_conf").glob("*.bess"))


def state_of(text: str | Path) -> Any:
    recorder = RecordingClient()
    rehearse(Script.parse(text), recorder, {})
    return to_state(recorder.pipeline, protos())


def written(state: Any) -> str:
    return Writer(protos()).script(state)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.stem))
def test_samples_survive_the_way_to_a_script_and_back(sample: Path) -> None:
    state = state_of(sample)
    assert entries(state)
    assert entries(state_of(written(state))) == entries(state)


EVERYTHING = """
bess.add_worker(wid=1, core=0)
p0::PMDPort(num_inc_q=2, vdev='net_null0')
bess.set_port_config('p0', mac_addr='02:00:00:00:00:01', mtu=1500, admin_up=False)
src::Source(pkt_size=60)
src.set_burst(burst=8)
Rewrite(name='in', templates=[b"a'\\n\\xff"])
Sink(name='Sink')
Sink(name='a b')
ws::WorkerSplit(worker_gates={0: 1, 3: 2})
src -> ws:1 -> q::Queue()
ws:2 -> Sink(name='__x')
bess.connect_modules('q', 'in')
bess.connect_modules('in', 'Sink', skip_default_hooks=True)
bess.add_tc('late', policy='rate_limit', resource='bit', limit={'bit': 5}, max_burst={'bit': 7})
bess.add_tc('early', policy='priority', wid=1)
bess.add_tc('a child', policy='weighted_fair', resource='packet', parent='early', priority=0)
bess.attach_task('src', parent='late')
bess.attach_task('q', parent='a child', share=2)
bess.track_gate(True, 'bits', 'src', 'out', 0, bits=True)
bess.tcpdump_gate(True, None, 'q', 'in', 0, fifo='/tmp/f')
bess.configure_gate_hook('Track', None, None, True, 'bare', 'ws', 'out', 1)
bess.configure_resume_hook('custom')
bess.configure_resume_hook('other', {}, True, 'TrackArg')
"""


def test_everything_there_is_survives_it() -> None:
    state = state_of(EVERYTHING)
    text = written(state)
    again = state_of(text)
    assert entries(again) == entries(state) and written(again) == text
    assert again.resume_hooks == state.resume_hooks and len(again.resume_hooks) == 2
    assert set(state.DESCRIPTOR.fields_by_name) == {field.name for field, _ in again.ListFields()}


def test_what_a_script_yields() -> None:
    state = state_of(EVERYTHING)
    by_path = entries(state)
    assert by_path["ports/p0"].conf.mtu == 1500 and by_path["ports/p0"].num_inc_q == 2
    assert by_path["modules/src"].commands[0].cmd == "set_burst"
    assert by_path["connections/in:0"].skip_default_hooks
    assert (
        by_path["classes/late"].WhichOneof("place") is None and by_path["classes/late"].limit == 5
    )
    assert by_path["classes/early"].worker == 1
    assert by_path["classes/!leaf_q:0"].parent == "a child"
    assert by_path["classes/!leaf_q:0"].share == 2
    assert by_path["gate_hooks/q:igate0:"].hclass == "TcpDump"
    assert not by_path["gate_hooks/ws:ogate1:bare"].HasField("arg")


def test_the_last_word_counts() -> None:
    state = state_of(
        """
src::Source() -> q::Queue() -> Sink()
bess.add_tc('a', policy='round_robin', wid=0)
bess.add_tc('b', policy='round_robin', wid=0)
src.attach_task('a', priority=1)
src.attach_task(wid=0)
bess.track_gate(True, 'x', 'src', 'out', 0)
bess.track_gate(True, 'y')
bess.track_gate(False, 'y', 'q')
bess.track_gate(False, 'x')
q.get_status()
q.set_burst(burst=1)
"""
    )
    leaf = entries(state)["classes/!leaf_src:0"]
    assert (leaf.WhichOneof("place"), leaf.worker, leaf.WhichOneof("rank")) == ("worker", 0, None)
    assert [(hook.module, hook.name) for hook in state.gate_hooks] == [("src", "y")]
    assert [command.cmd for command in entries(state)["modules/q"].commands] == ["set_burst"]


def test_default_hooks_may_be_taken_away() -> None:
    chain = "src::Source() -> q::Queue() -> dst::Sink()\n"
    bare = [
        [edge.skip_default_hooks for edge in state_of(chain + text).connections]
        for text in (
            "",
            "bess.track_gate(False)",
            "bess.track_gate(False, m='q')",
            "bess.track_gate(False, m='q', direction='in')",
            "bess.track_gate(False, 'named')",
            "bess.tcpdump_gate(False, None, 'q')",
        )
    ]
    nowhere, everywhere, at_q = [False, False], [True, True], [False, True]
    assert bare == [nowhere, everywhere, at_q, nowhere, nowhere, nowhere]


def test_a_state_says_the_same_each_time() -> None:
    forwards = {gate: gate for gate in range(40)}
    backwards = dict(reversed(forwards.items()))
    texts = [f"ws::WorkerSplit(worker_gates={gates})" for gates in (forwards, backwards)]
    first, second = (state_of(text) for text in texts)
    assert first.SerializeToString() == second.SerializeToString()
    assert written(first) == written(second)


def test_names_nobody_gave_are_those_of_a_daemon() -> None:
    text = "ExactMatch(); IPLookup(); UnixSocketPort(path='@x'); NoOP(); IPLookup(); L2Forward()"
    assert list(entries(state_of(text))) == [
        *("modules/em0", "modules/ip_lookup0", "modules/ip_lookup1", "modules/l2_forward0"),
        *("modules/noop0", "ports/unix_port0"),
    ]


def test_names_are_not_given_twice() -> None:
    text = "Sink(name='sink1'); b = Sink(); bess.destroy_module(b.name); Sink(); Sink()"
    assert list(entries(state_of(text))) == ["modules/sink1", "modules/sink2", "modules/sink3"]


def test_an_automatic_worker_is_nobodys_wish() -> None:
    workers = [{"wid": 0, "core": 3, "automatic": True}]
    classes = [{"name": "!leaf_a:0", "policy": "leaf", "worker": 0}]
    assert written(message("State", workers=workers, classes=classes)) == "\n"
    classes.append({"name": "!leaf_b:0", "policy": "leaf", "parent": "c"})
    classes.append({"name": "c", "policy": "round_robin", "worker": 0})
    assert written(message("State", workers=workers, classes=classes)).splitlines() == [
        "bess.add_tc('c', policy='round_robin')",
        "bess.attach_task('b', parent='c')",
    ]


def test_a_config_is_a_command_of_the_script() -> None:
    state = message("State", modules=[{"name": "q", "mclass": "Queue"}])
    pack(state.modules[0].config, protos().message("QueueCommandSetSizeArg")(size=8))
    assert written(state) == "q::Queue()\nq.set_runtime_config(size=8)\n"


def test_parents_come_first_and_a_circle_ends() -> None:
    classes = [
        {"name": "a", "parent": "z"},
        {"name": "z", "worker": 1},
        {"name": "c", "parent": "c"},
    ]
    lines = written(message("State", classes=classes)).splitlines()
    assert [line.split("'")[1] for line in lines] == ["z", "a", "c"]


def test_a_message_nobody_knows_is_named() -> None:
    state = message("State", modules=[{"name": "m", "mclass": "Mine"}])
    state.modules[0].arg.type_url = "type.googleapis.com/mine.MineArg"
    with pytest.raises(
        APIError, match="modules/m: there is no message 'mine.MineArg' here; .BESS_PL"
    ):
        written(state)


def test_long_statements_are_wrapped() -> None:
    rules = [{"src_ip": f"10.0.{number}.0/24"} for number in range(9)]
    lines = written(state_of(f"acl::ACL(rules={rules!r})")).splitlines()
    assert len(lines) > 9 and max(map(len, lines)) <= 100
    assert load("\n".join(lines)).modules[0].arg["rules"] == rules


def test_lines_of_entries_are_known() -> None:
    recorder = RecordingClient()
    text = "def make():\n  return Sink()\n\nsrc::Source() -> make()\nbess.add_worker(2, 0)\n"
    rehearse(Script.parse(text), recorder, {})
    assert recorder.origins == {
        "modules/src": 4,
        "modules/sink0": 2,
        "connections/src:0": 4,
        "workers/2": 5,
    }
