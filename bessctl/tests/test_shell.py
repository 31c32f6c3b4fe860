# SPDX-License-Identifier: Apache-2.0
"""Lines of the shell: what they mean, and what they do to a fake daemon."""

import errno
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from besscli import __main__ as entry
from besscli import launch, monitor
from besscli.errors import CommandError
from besscli.grammar import following, match
from besscli.pipeline import counters, rates, read_pipeline, render
from besscli.shell import COMMANDS, make_table
from besscli.values import count, environment, keyword_values
from fake_daemon import FakeDaemon
from pybess.errors import Error
from pybess.protos import protos
from rich.console import Console
from session import Session

BESSCTL = Path(__file__).resolve().parents[1] / "bessctl"


@pytest.mark.parametrize(
    "line, pattern, values",
    [
        ("show pipeline", "show pipeline [packet|batch|bit]", [None]),
        ("sh pi bi", "show pipeline [packet|batch|bit]", ["bit"]),
        ("sh mod a b", "show module [MODULE...]", [["a", "b"]]),
        (
            "ad m Source x=1, y='z z'",
            "add module MCLASS [NEW_NAME] [pause|no_pause] [ARGS]",
            ["Source", None, None, "x=1, y='z z'"],
        ),
        (
            "add module Source src x=1",
            "add module MCLASS [NEW_NAME] [pause|no_pause] [ARGS]",
            ["Source", "src", None, "x=1"],
        ),
        (
            "add module Source src pause",
            "add module MCLASS [NEW_NAME] [pause|no_pause] [ARGS]",
            ["Source", "src", "pause", ""],
        ),
        (
            "add conn a b 3 4 no",
            "add connection MODULE MODULE [OGATE] [IGATE] [pause|no_pause]",
            ["a", "b", "3", "4", "no_pause"],
        ),
        ("tcpdump m", "tcpdump MODULE [in|out] [GATE] [ARGS]", ["m", None, None, ""]),
        ("tcpd m -n -c 1", "tcpdump MODULE [in|out] [GATE] [ARGS]", ["m", None, None, "-n -c 1"]),
        ("tcpd m i -n", "tcpdump MODULE [in|out] [GATE] [ARGS]", ["m", "in", None, "-n"]),
        ("tcpd m o 3 icmp", "tcpdump MODULE [in|out] [GATE] [ARGS]", ["m", "out", "3", "icmp"]),
        ("delete connection a ogate 3", "delete connection MODULE ogate OGATE", ["a", "3"]),
        ("run file x.bess A=1", "run file FILE [ARGS]", ["x.bess", "A=1"]),
        ("run x A=1,B=2", "run CONF [ARGS]", ["x", "A=1,B=2"]),
        (
            "track dis",
            "track enable|disable [MODULE] [in|out] [GATE]",
            ["disable", None, None, None],
        ),
        (
            "track e m o 3",
            "track enable|disable [MODULE] [in|out] [GATE]",
            ["enable", "m", "out", "3"],
        ),
        ("daemon start", "daemon start [ARGS]", [""]),
    ],
)
def test_lines(line: str, pattern: str, values: list[Any]) -> None:
    found = match(COMMANDS, line)
    assert (found.command.pattern, found.values) == (pattern, values)


@pytest.mark.parametrize(
    "line, reason",
    [
        ("frob", "there is no command 'frob'"),
        ("show foo", "'foo' cannot follow 'show'; one of these can: driver, drops,"),
        ("show m", "'m' is ambiguous here: mclass, module"),
        ("d", "'d' is ambiguous here: daemon, debug, delete"),
        ("add module", "is not complete; usage: `add module MCLASS"),
        ("quit now", "'now' is one word too many; usage: `quit`"),
        ("track d x sideways", "'sideways' cannot follow 'track d x'; one of these can: in, out"),
        ("sh", "or `show port [PORT...]` and 12 more; `help show`"),
        ("debug", "is not complete; usage: `debug enable|disable`"),
    ],
)
def test_lines_that_mean_nothing(line: str, reason: str) -> None:
    with pytest.raises(CommandError) as caught:
        match(COMMANDS, line)
    assert reason in str(caught.value)


def test_what_may_follow() -> None:
    names = {name for _, element in following(COMMANDS, ["sh"]) for name in element.names}
    assert {"pipeline", "drops", "mclass"} <= names
    assert [element.names for _, element in following(COMMANDS, ["show", "module", "a"])] == [
        ("MODULE",)
    ]


def test_values() -> None:
    text = "a=1, b='x, y' c=[{'d': 2}, 3],e=eth0, f=None"
    assert keyword_values(text) == {"a": 1, "b": "x, y", "c": [{"d": 2}, 3], "e": "eth0", "f": None}
    assert environment("A=1,B='two'") == {"A": "1", "B": "two"}
    for wrong in ("x", "=3", "a=[1", "a={'b':}"):
        with pytest.raises(CommandError):
            keyword_values(wrong)


def test_counts() -> None:
    numbers = [0, 12.34, 999999, 1e6, 1234567, 12345678, 999.9e6, 14.2e9, 3e15]
    assert [count(number) for number in numbers] == [
        *("0", "12.3", "999999", "1.000M", "1.235M", "12.35M", "1.000G", "14.20G", "3.000P")
    ]


def test_edits_one_thing_at_a_time(run: Session, fake: FakeDaemon) -> None:
    run(
        "add worker 0 1",
        "add port PMDPort p0 vdev=net_null0, num_inc_q=2",
        "add module PortInc in port=p0",
    )
    assert "created module sink0" in run("add module Sink")
    run(
        "add connection in sink0 3", "command module in set_burst PortIncCommandSetBurstArg burst=4"
    )
    state = fake.state.pipeline
    assert state.connections[0].ogate == 3 and state.commands[0].arg == {"burst": 4}
    run("delete connection in ogate 3", "delete module in", "delete port p0", "delete worker 0")
    assert [module.name for module in fake.state.pipeline.modules] == ["sink0"]
    assert not (
        fake.state.pipeline.connections or fake.state.pipeline.ports or fake.state.pipeline.workers
    )


def test_what_is_named_twice_is_shown_once(run: Session) -> None:
    run("add module Source src", "add port PCAPPort p dev=lo")
    assert run("show module src src").count("src::Source") == 1
    assert run("show port p p").count("PCAPPort") == 1
    assert run("show mclass Sink Sink").count("arguments:") == 1


def test_rates_say_which_bits(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "INTERVAL", 0.0)
    run("add module Source src", "add port PCAPPort p dev=lo")
    assert "rx bps (frames)" in run("monitor port")
    assert "bits/s (on the wire)" in run("monitor pipeline bit")


def test_edits_say_what_they_did(run: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    run("add module Source src", "add module Sink dst", "add connection src dst 1")
    with pytest.raises(CommandError, match="output gate 0 of 'src' is not connected"):
        run("delete connection src")
    assert run("add worker 0 1") == "started worker 0 on core 1\n"
    moved = protos().message("ListWorkersResponse")()
    moved.workers_status.add(wid=3, core=0)
    monkeypatch.setattr(run.shell.client, "list_workers", lambda: moved)
    said = run("add worker 3 1")
    assert said == "moved worker 3, which the daemon had started by itself, from core 0 to core 1\n"
    moved.workers_status[0].wid = 4
    assert "stays on core 0" in run("add worker 4 0")


def test_shows(run: Session) -> None:
    assert "There is no pipeline." in run("show pipeline")
    run(
        "add module Source src",
        "add module Sink dst",
        "add connection src dst",
        "add port PCAPPort p dev=lo",
    )
    assert "fake 1.0" in run("show version")
    assert "modules   2" in run("show status")
    assert "12345" in run("show port") and "02:00:00:00:00:01" in run("show port p")
    assert "src::Source" in run("show module src") and "-> 0:dst" in run("show module src")
    run("add port PCAPPort blue_port dev=lo domain=blue")
    assert "blue " in run("show port blue_port") and "blue" not in run("show port p")
    mclass = run("show mclass Source Sink")
    assert "set_burst(SourceCommandSetBurstArg): burst" in mclass
    assert "arguments: pkt_size" in mclass and "arguments: none" in mclass
    assert "PMDPort" in run("show driver")
    picture = run("show pipeline")
    assert "│     src     │" in picture and "▼" in picture
    with pytest.raises(CommandError, match="there is no port 'q'; known are: p"):
        run("show port q")


def test_show_drops(run: Session, fake: FakeDaemon) -> None:
    output = run("show drops")
    assert "ttl_expired 3" in output
    assert "10 created = 7 consumed + 3 dropped + 0 held: it adds up." in output
    fake.created = 12
    said = "12 created != 7 consumed + 3 dropped + 0 held: 2 packets are not accounted for."
    assert said in run("show drops")
    run("add worker 0 0")
    assert "12 created ~ 7 consumed + 3 dropped + 0 held: 2 are in motion." in run("show drops")
    fake.created = 25
    assert "25 created != 7 consumed + 3 dropped + 0 held: 15 packets are not accounted" in run(
        "show drops"
    ), "more than the 14 in use"
    fake.created = 9
    assert "9 created != 7 consumed + 3 dropped + 0 held: 1 packets are too many." in run(
        "show drops"
    )


def test_show_drops_reads_again_before_it_complains(run: Session, fake: FakeDaemon) -> None:
    """As busy workers go on while their counters are read."""
    run("add worker 0 0")
    readings = iter([500, 4, 12])

    def next_reading(_request: Any) -> None:
        fake.created = next(readings)

    fake.refuse["GetLedger"] = next_reading
    assert "2 are in motion" in run("show drops")


def test_show_drops_has_what_is_gone(run: Session, fake: FakeDaemon) -> None:
    fake.drops_of_gone, fake.created = {"queue_full": 4, "ttl_expired": 1}, 15
    line = next(
        line for line in run("show drops").splitlines() if "(modules that are gone)" in line
    )
    assert line.split()[4:] == ["15", "7", "0", "5", "queue_full", "4,", "ttl_expired", "1"]
    assert "gone" not in run("show drops ttl"), "totals are of all modules"


def test_only_what_bessd_alone_can_is_said_to_need_it(run: Session, fake: FakeDaemon) -> None:
    for command, method in (("show nf p", "ListNfs"), ("show drops m", "GetLedger")):
        fake.refuse[method] = lambda _: LookupError("there is no such thing")
        with pytest.raises(CommandError, match=f"^{method} failed: there is no such thing$"):
            run(command)
        fake.refuse[method] = lambda _: NotImplementedError("what?")
        with pytest.raises(CommandError, match=f"does not know {method}; .* need bessd"):
            run(command)


def test_show_nf(run: Session, fake: FakeDaemon) -> None:
    assert "There are no ports of network functions." in run("show nf")
    run("add port NFPort nf0")
    fake.nfs = [
        {
            "port": "nf0",
            "trusted": True,
            "domain": "blue",
            "process": {"name": "ttl", "pid": 4711, "uid": 1000, "buffers": 64},
            "events": {"attached": 3, "died": 1, "violated": 1},
            "violations": [{"reason": "a message out of turn", "times": 1}],
            "overloaded": 9,
            "copied": 8251,
        }
    ]
    said = run("show nf")
    for words in (
        "trusted",
        "blue",
        "ttl (pid 4711, uid 1000)",
        "64",
        "8251",
        "attached 3, died 1, violated 1 (a message out of turn 1)",
    ):
        assert words in said
    fake.nfs = [{"port": "nf0"}]
    assert "isolated" in run("show nf nf0") and "pid" not in run("show nf")


def test_help_understands_abbreviations(run: Session) -> None:
    said = run("help sh pi")
    assert "show pipeline" in said and "show port" not in said
    with pytest.raises(CommandError, match="no command begins with 'show frob'"):
        run("help show frob")


def test_every_command_has_a_sentence_of_help(run: Session) -> None:
    said = run("help")
    for entry_of_help in COMMANDS:
        assert entry_of_help.pattern in said and len(entry_of_help.help.split()) > 1


def test_workers_pause_for_an_edit_if_asked(run: Session, fake: FakeDaemon) -> None:
    run("add worker 0 0", "add module Source a", "add module Sink b no_pause")
    assert "PauseAll" not in fake.calls
    run("add module Sink c pause", "add connection a b 0 0 pause")
    wanted = {"PauseAll", "ResumeAll", "CreateModule", "ConnectModules"}
    assert [call for call in fake.calls if call in wanted][2:] == [
        *("PauseAll", "CreateModule", "ResumeAll", "PauseAll", "ConnectModules", "ResumeAll")
    ]
    with pytest.raises(CommandError, match="already leads to 'b'"):
        run("add connection a c 0 0 pause")
    assert fake.calls[-1] == "ResumeAll", "a refused edit does not leave them paused"


def test_interactive_needs_a_terminal(run: Session) -> None:
    with pytest.raises(CommandError, match="there is no terminal"):
        run("interactive")


def test_patterns_are_not_taken_for_markup(run: Session) -> None:
    assert "show pipeline [packet|batch|bit]" in run("help show pipeline")


def test_runs_a_script(run: Session, fake: FakeDaemon, tmp_path: Path) -> None:
    script = tmp_path / "a.bess"
    script.write_text("Source(pkt_size=int($S)) -> Sink()\n")
    assert "Done." in run(f"run {script} S=99")
    assert fake.state.pipeline.modules[0].arg == {"pkt_size": 99}
    assert fake.calls[-1] == "ResumeAll"


@pytest.mark.parametrize("line", ["run {} {}", "run file {} {}", "apply {} {}", "diff {} {}"])
def test_variables_that_a_script_does_not_read(
    run: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    script = tmp_path / "a.bess"
    script.write_text("Source(pkt_size=int($S!60)) -> Sink(name=$NAME!'x')\n")
    run(line.format(script, "S=99, NAME=y"))
    assert capsys.readouterr().err == ""
    run(line.format(script, "S=99, SIZE=3, FOO=1"))
    assert capsys.readouterr().err.splitlines() == [
        f"bessctl: the script reads no ${name}; it reads: NAME, S" for name in ("FOO", "SIZE")
    ]


def test_variables_that_a_script_reads_by_other_means(
    run: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "a.bess"
    script.write_text("import os\nSource(pkt_size=int(os.environ['SI' + 'ZE'])) -> Sink()\n")
    run(f"run {script} SIZE=99")
    assert capsys.readouterr().err == ""
    script.write_text("Source() -> Sink()\n")
    run(f"run {script} SIZE=99")
    assert capsys.readouterr().err == "bessctl: the script reads no $SIZE; it reads: none\n"


@pytest.mark.parametrize("line", ["run {}", "apply {}", "diff {}"])
def test_what_is_no_file_of_a_script(run: Session, tmp_path: Path, line: str) -> None:
    for path in (str(tmp_path), "/dev/null"):
        with pytest.raises(CommandError, match=f"^'{path}' is no script: it is no regular file$"):
            run(line.format(path))
    with pytest.raises(CommandError, match="there is no script 'nowhere': no such file"):
        run(line.format("nowhere"))


def test_a_bad_script_touches_nothing(run: Session, fake: FakeDaemon, tmp_path: Path) -> None:
    script = tmp_path / "bad.bess"
    script.write_text("a::Source()\na -> b\n")
    run("add module Sink kept")
    with pytest.raises(
        CommandError, match="bad.bess:2:6: name 'b' is not defined.*\n.*\n.*\nThe daemon was not"
    ):
        run(f"run {script}")
    assert not {"PauseAll", "ResetAll"} & set(fake.calls)
    assert fake.state.pipeline.modules[0].name == "kept"


def test_what_ran_is_rebuilt_when_a_run_fails(
    run: Session, fake: FakeDaemon, tmp_path: Path
) -> None:
    script = tmp_path / "bad.bess"
    script.write_text("x::Queue()\n")
    run(
        "add worker 0 0",
        "add port PMDPort p vdev=v",
        "add module Source src pkt_size=70",
        "add module Sink dst",
    )
    run(
        "add module ExactMatch em fields=[{'offset': 0, 'num_bytes': 2}]",
        "add connection src dst 0 5",
    )
    fake.state.add_tc("x", policy="round_robin", wid=0)
    fake.state.attach_task("src", "x")
    before = fake.state.pipeline.to_dict()
    refused = Error(errno.ENOMEM, "no memory for a queue")
    fake.refuse["CreateModule"] = lambda request: refused if request.mclass == "Queue" else None
    with pytest.raises(CommandError) as caught:
        run(f"run {script}")
    assert "bad.bess:1:1: no memory for a queue" in str(caught.value)
    assert "The 3 modules that ran before run again, but these are lost: rules added to em," in str(
        caught.value
    )
    after = fake.state.pipeline.to_dict()
    assert after["modules"] == before["modules"] and after["connections"] == before["connections"]
    assert after["ports"] == before["ports"] and after["workers"] == before["workers"]
    assert [tc["name"] for tc in after["tcs"]] == ["x"]
    assert after["attachments"][0]["parent"] == "x"
    assert fake.calls[-1] == "ResumeAll"


def test_the_last_script_runs_again_when_a_run_fails(
    run: Session, fake: FakeDaemon, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.bess", tmp_path / "bad.bess"
    good.write_text(
        "em::ExactMatch(fields=[{'offset': 0, 'num_bytes': 2}])\nem.add(fields=[{'value_int': 1}])\n"
    )
    bad.write_text("x::Queue()\n")
    refused = Error(errno.ENOMEM, "no memory")
    fake.refuse["CreateModule"] = lambda request: refused if request.mclass == "Queue" else None
    run(f"run {good}")
    with pytest.raises(CommandError, match="good.bess runs again, from its start"):
        run(f"run {bad}")
    assert fake.state.pipeline.commands[0].cmd == "add"


def test_honest_when_nothing_can_be_put_back(
    run: Session, fake: FakeDaemon, tmp_path: Path
) -> None:
    script = tmp_path / "bad.bess"
    script.write_text("x::Queue()\n")
    run("add module Sink kept")
    fake.refuse["CreateModule"] = lambda request: Error(errno.ENOMEM, "no memory")
    with pytest.raises(CommandError, match="could NOT be put back: no memory"):
        run(f"run {script}")


def test_a_script_that_needs_the_daemon_runs_on_it(
    run: Session, fake: FakeDaemon, tmp_path: Path
) -> None:
    script = tmp_path / "live.bess"
    script.write_text("assert bess.get_port_stats('x').inc.packets == 12345\nSink()\n")
    assert "could not be checked before its run" in run(f"run {script}")
    assert fake.state.pipeline.modules[0].name == "sink0"


def test_a_daemon_that_goes_is_one_sentence(run: Session, fake: FakeDaemon) -> None:
    fake.stop()
    with pytest.raises(CommandError) as caught:
        run("show module")
    assert str(caught.value) == f"no daemon answers at {fake.address} (is bessd running?)"


def test_lines_stop_at_the_first_failure(
    run: Session, fake: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.one_shot(["show", "version", "--", "run", "x"]) == ["show version", "run x"]
    lines = ["# a comment", "", "add module Sink a", "show nonsense", "add module Sink b"]
    assert entry.run_lines(run.shell, lines, numbered=True) == 1
    assert "bessctl: line 4: 'nonsense' cannot follow 'show'" in capsys.readouterr().err
    assert len(fake.state.pipeline.modules) == 1


def bessctl(
    address: str, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    environ = {"BESS_GRPC_URL": address, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        [BESSCTL, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env={**environ, **environment},
        check=False,
    )


def test_the_program(fake: FakeDaemon) -> None:
    done = bessctl(fake.address, "add", "module", "Sink", "s", "--", "show", "module")
    assert done.returncode == 0 and "Sink" in done.stdout, done.stderr
    piped = bessctl(fake.address, stdin="show module\nshow nothing\n")
    assert piped.returncode == 1 and piped.stderr.startswith("bessctl: line 2: 'nothing' cannot")


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_as_any_program_gives_it(fake: FakeDaemon, word: str) -> None:
    assert bessctl(fake.address, word).stdout == bessctl(fake.address, "help").stdout
    some = bessctl(fake.address, word, "show", "tc")
    assert some.returncode == 0 and "show tc" in some.stdout and "run CONF" not in some.stdout


def test_version_as_any_program_tells_it(fake: FakeDaemon, tmp_path: Path) -> None:
    assert bessctl(fake.address, "--version").stdout == "fake 1.0\n"
    alone = bessctl(f"unix:{tmp_path}/nobody", "--version")
    assert alone.returncode == 0 and alone.stderr == ""
    assert re.match(r"\d+\.\d+\.\d+ is what this bessctl belongs to; no daemon", alone.stdout)


@pytest.mark.parametrize("encoding", ["ascii", "latin1"])
def test_any_encoding_has_lines_for_a_picture(fake: FakeDaemon, encoding: str) -> None:
    words = "add module Source src -- add module Sink dst -- add connection src dst"
    words += " -- add worker 0 0 -- show pipeline -- show tc"
    fake.state.add_tc("outer", policy="round_robin")
    fake.state.add_tc("inner", policy="round_robin", parent="outer")
    done = bessctl(fake.address, *words.split(), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    for shape in (r"\+-+0-+\+", r"\| +src +\|", r" v$", r"\+- *inner"):
        assert re.search(shape, done.stdout, re.M), done.stdout


def test_a_reader_that_has_seen_enough(fake: FakeDaemon) -> None:
    """Whether it goes before the first line, or before the last ones are written."""
    for words in (["help"], ["show", "version"], ["show", "version", "--", "help"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [BESSCTL, *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "BESS_GRPC_URL": fake.address},
            text=True,
            check=False,
        )
        os.close(writing)
        assert done.stderr == ""


def test_bytes_that_are_no_text(fake: FakeDaemon) -> None:
    complaint = "name: needs text, not '\\udcff'"
    said = bessctl(fake.address, "show", "module", "\udcff").stderr
    assert said == f"bessctl: {complaint}\n"
    for encoding in ("ascii", "utf-8"):
        piped = bessctl(fake.address, stdin="show module \udcff\n", PYTHONIOENCODING=encoding)
        assert piped.stderr == f"bessctl: line 1: {complaint}\n"


def fake_bessd(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_starts_a_daemon(fake: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "runtime_dir", lambda: str(tmp_path / "run"))
    binary = fake_bessd(
        tmp_path / "bessd", f"echo starting; echo ready {fake.address}; exec sleep 0.1"
    )
    monkeypatch.setattr(launch, "find_daemon", lambda: binary)
    assert launch.start([]).address == fake.address
    assert (tmp_path / "run" / "bessd.log").read_text().startswith("starting\nready")
    binary = fake_bessd(tmp_path / "bessd", "echo 'no hugepages' >&2; exit 3")
    with pytest.raises(
        CommandError, match="ended with status 3 before it was ready:\n    no hugepages"
    ):
        launch.start([])


SLOW_TO_END = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from fake_daemon import FakeDaemon
from pybess.protos import protos
fake = FakeDaemon(Path(sys.argv[1]))
killed = []
def end(_):
    killed.append(True)
    return protos().message("EmptyResponse")()
fake._KillBess = end
print("ready", fake.address, flush=True)
while not killed:
    time.sleep(0.01)
fake.stop()
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture(name="slow_to_end")
def start_slow_to_end(tmp_path: Path) -> Iterator[Callable[[float], "subprocess.Popen[str]"]]:
    """Starts a daemon that is still there so many seconds after its last answer."""
    started: list["subprocess.Popen[str]"] = []
    program = SLOW_TO_END.format(path=[str(BESSCTL.parent), str(BESSCTL.parent / "tests")])

    def start(seconds: float) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, str(tmp_path / "slow.sock"), str(seconds)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_daemon_that_was_stopped_is_gone(
    run: Session, slow_to_end: Callable[[float], "subprocess.Popen[str]"]
) -> None:
    daemon = slow_to_end(0.5)
    assert daemon.stdout is not None
    run.shell.connect(daemon.stdout.readline().split()[1])
    run("daemon stop")
    assert daemon.poll() == 0


def test_a_daemon_that_does_not_end_is_told(
    run: Session,
    slow_to_end: Callable[[float], "subprocess.Popen[str]"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    daemon = slow_to_end(60)
    assert daemon.stdout is not None
    run.shell.connect(daemon.stdout.readline().split()[1])
    monkeypatch.setattr(launch, "STOP_SECONDS", 0.2)
    with pytest.raises(CommandError, match="bessd answers no more, but still runs after 0.2 s"):
        run("daemon stop")


def test_rates(run: Session) -> None:
    run("add module Source src", "add module Sink dst", "add connection src dst")
    before = counters(read_pipeline(run.shell.client), "packet")
    modules = read_pipeline(run.shell.client)
    assert rates(before, counters(modules, "packet"))["src", 0] == pytest.approx(1e6)
    narrow = render(modules, {("src", 0): 1e6}, width=5).plain
    assert narrow == "src  Source\n  ╰─0──▶ 0:dst  1.000M\ndst  Sink"
    stats = run.shell.client.get_port_stats
    old, new = stats("p"), stats("p")
    new.timestamp, new.inc.packets, new.inc.bytes = 3.0, old.inc.packets + 4000, 256000
    row = monitor.Row("p", monitor.port_rates(old, new))
    assert row.cells() == ["p", "2000", "1.024M", "0", "0", "0", "0"]
    assert monitor.Row("p", monitor.port_rates(old, old)).cells() == ["p", *["-"] * 6]


def test_bits_are_shown_where_they_are_counted(
    run: Session, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "INTERVAL", 0.0)
    run("add module Source src", "add module Sink dst", "add connection src dst")
    for command in ("show pipeline", "monitor pipeline"):
        fake.packet_bytes = 0
        said = run(f"{command} bit")
        assert "bits are not counted; `track bit enable`" in said and "│0" not in said
        assert "not counted" not in run(command)
        fake.packet_bytes = 125
        said = run(f"{command} bit")
        assert "M" in said or "G" in said
        assert "not counted" not in said
    before = counters(read_pipeline(run.shell.client), "packet")
    fake.packets = 0
    assert not rates(before, counters(read_pipeline(run.shell.client), "packet")), "begun anew"


def shown(width: int, *table: Any) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(make_table(*table))
    return output.getvalue()


def test_no_table_tears_a_name_or_a_number() -> None:
    columns = ["traffic class", "packets", "limit"]
    rows = [["├─ !leaf_f_and_o:0", 123456789012, "1.0M packet/s, burst 3 packet"], ["b", 7, ""]]
    for width in (40, 60, 250):
        said = shown(width, columns, rows, ("packets",))
        assert "├─ !leaf_f_and_o:0" in said and "123456789012" in said
    at_60, at_40 = shown(60, columns, rows, ("packets",)), shown(40, columns, rows, ("packets",))
    assert [line.strip() for line in at_60.splitlines()[1:3]] == [
        "├─ !leaf_f_and_o:0  123456789012  1.0M packet/s, burst 3",
        "packet",
    ]
    assert at_40.splitlines() == [
        "├─ !leaf_f_and_o:0",
        "  packets  123456789012",
        "  limit    1.0M packet/s, burst 3 packet",
        *("b", "  packets  7"),
    ]
    assert shown(20, ["command", "what it does"], [["show x|y", "shows x, or else y"]]) == (
        "show x|y\n  shows x, or else y\n"
    )


def test_debug_shows_the_wire(run: Session, capsys: pytest.CaptureFixture[str]) -> None:
    run("debug enable", "show version", "debug disable", "show version")
    assert capsys.readouterr().err.splitlines() == [
        "--> GetVersion { }",
        '<-- GetVersion { version: "fake 1.0" }',
    ]


def test_daemon_reset_and_connections(run: Session, fake: FakeDaemon) -> None:
    run("add module Sink s", "daemon reset")
    assert not fake.state.pipeline.modules and fake.calls[-1] == "ResumeAll"
    run("daemon disconnect")
    with pytest.raises(CommandError, match="not connected; `daemon connect` connects"):
        run("show version")
    assert f"connected to {fake.address}" in run(f"daemon connect {fake.address}")
