# SPDX-License-Identifier: Apache-2.0
"""Live change: `apply`, `diff`, `history`, `rollback`, `save`, `watch`, and the client's calls."""

import io
from pathlib import Path

import pytest
from besscli.errors import CommandError
from besscli.shell import WIDE
from fake_daemon import FakeDaemon
from fake_live import entries, message
from pybess import APIError, Problem, StatusError, Transaction
from pybess.bess import BESS
from rich.console import Console
from session import Session

SCRIPT = """src::Source(pkt_size=int($SIZE!60)) -> q::Queue() -> Sink()
q.set_burst(burst=8)
"""


@pytest.fixture(name="script")
def script_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bess"
    path.write_text(SCRIPT)
    return path


def test_apply_changes_what_differs(run: Session, fake: FakeDaemon, script: Path) -> None:
    said = run(f"apply {script}")
    assert said.splitlines() == [
        *("+ q -> sink0", "+ src -> q"),
        *(
            "+ q::Queue()",
            "+ q.set_burst(burst=8)",
            "+ sink0::Sink()",
            "+ src::Source(pkt_size=60)",
        ),
        "Version 2: 5 added.",
    ]
    assert fake.live.comments == ["start", f"apply {script}"]
    assert "PauseAll" not in fake.calls and "ResetAll" not in fake.calls
    assert run(f"apply {script}") == "Nothing differs from what runs (version 2).\n"
    script.write_text(SCRIPT.replace("burst=8", "burst=16").replace("Sink()", "end::Sink()"))
    assert run(f"app {script} SIZE=64").splitlines() == [
        "~ q:0 (connections)",
        "    - q -> sink0",
        "    + q -> end",
        "+ end::Sink()",
        "~ q (modules)",
        "    - q.set_burst(burst=8)",
        "    + q.set_burst(burst=16)",
        "- sink0::Sink()",
        "± src (replaced)",
        "    - src::Source(pkt_size=60)",
        "    + src::Source(pkt_size=64)",
        "Version 3: 1 added, 1 removed, 2 changed, 1 replaced (what those held is lost).",
    ]


def test_diff_and_dry_run_change_nothing(run: Session, fake: FakeDaemon, script: Path) -> None:
    for line in (
        f"diff {script} SIZE=9",
        f"apply {script} --dry-run SIZE=9",
        f"ap {script} --d SIZE=9",
    ):
        said = run(line)
        assert "+ src::Source(pkt_size=9)" in said and said.endswith("Would be: 5 added.\n")
    assert fake.live.version == 1


def test_colours_tell_what_happens(run: Session, script: Path) -> None:
    run(f"apply {script}")
    script.write_text("src::Source(pkt_size=9) -> new::Sink()\n")
    output = io.StringIO()
    run.shell.console = Console(
        file=output, width=WIDE, force_terminal=True, color_system="standard"
    )
    run(f"diff {script}")
    assert "\x1b[31m- q::Queue()" in output.getvalue()
    assert "\x1b[32m+ new::Sink()" in output.getvalue()
    assert "\x1b[1;33m± src (replaced)" in output.getvalue()


def test_a_long_change_is_cut_short(run: Session, tmp_path: Path) -> None:
    script = tmp_path / "long.bess"
    script.write_text("r::IPLookup()\nfor n in range(50): r.add(prefix='10.%d.0.0' % n)\n")
    lines = run(f"diff {script}").splitlines()
    assert lines[0] == "+ r::IPLookup()" and lines[20:] == [
        "      … 31 more lines",
        "Would be: 1 added.",
    ]


def test_an_operator_is_asked(
    run: Session, fake: FakeDaemon, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.shell.interactive = True
    asked = []
    monkeypatch.setattr(run.shell, "confirm", lambda question: asked.append(question))
    with pytest.raises(CommandError, match="left as it is"):
        run(f"apply {script}")
    assert fake.live.version == 1 and asked == ["Do this: 5 added?"]
    monkeypatch.setattr(run.shell, "confirm", lambda question: True)
    assert "+ sink0::Sink()" in run(f"apply {script}")
    asked_for = [(request.dry_run, request.expected_version) for request in fake.live.requests[1:]]
    assert asked_for == [(True, 0), (False, 1)] and fake.live.version == 2


def test_all_problems_are_told_with_their_lines(
    run: Session, fake: FakeDaemon, script: Path
) -> None:
    fake.live.problems = [
        message("Problem", path="modules/q", errno_value=22, message="too small"),
        message("Problem", path="connections/src:0", errno_value=16, message="taken"),
        message("Problem", errno_value=12, message="out of memory"),
    ]
    with pytest.raises(CommandError) as caught:
        run(f"apply {script}")
    assert str(caught.value).splitlines() == [
        f"{script}:1: modules/q: too small",
        f"{script}:1: connections/src:0: taken",
        "out of memory",
        "Nothing was changed.",
    ]


def test_a_script_that_is_wrong_or_needs_a_daemon(
    run: Session, fake: FakeDaemon, script: Path
) -> None:
    script.write_text("src::Sorce()\n")
    with pytest.raises(CommandError, match="a.bess:1:.*there is no module class"):
        run(f"apply {script}")
    script.write_text("m::Measure()\nprint(m.get_summary().packets)\n")
    with pytest.raises(CommandError, match="describes no state of its own: .*; `run` can run it"):
        run(f"apply {script}")
    assert not fake.live.requests


def test_warnings_are_told(run: Session, fake: FakeDaemon, script: Path) -> None:
    fake.live.warnings = ["'flow' is read and never written"]
    assert run(f"apply {script}").startswith("'flow' is read and never written\n")


def test_history_and_rollback(run: Session, fake: FakeDaemon, script: Path) -> None:
    run(f"apply {script}", f"apply {script} SIZE=64")
    rows = run("history").splitlines()
    assert [row.split()[0] for row in rows] == ["version", "3", "2", "1"]
    assert rows[1].endswith(f"apply {script} SIZE=64")
    assert len(run("hist 1").splitlines()) == 2
    assert "Would be: 1 replaced" in run("rollback 2 --dry-run") and fake.live.version == 3
    assert "+ src::Source(pkt_size=60)" in run("rollback 2")
    assert entries(fake.live.state) == entries(fake.live.states[1]) and fake.live.version == 4
    with pytest.raises(CommandError, match="a version is a number, not 'x'"):
        run("rollback x")
    assert "    1  apply" in run("history shell")


def test_what_is_saved_can_be_applied(
    run: Session, fake: FakeDaemon, script: Path, tmp_path: Path
) -> None:
    run(f"apply {script}")
    saved = tmp_path / "saved.bess"
    assert run(f"save {saved}") == f"Version 2 is in {saved}.\n"
    assert saved.read_text().startswith(
        "# What bessd runs; `bessctl apply` takes it back.\n\nsrc::"
    )
    assert "Nothing differs" in run(f"apply {saved}")
    with pytest.raises(CommandError, match="No such file or directory: /nonexistent/x"):
        run("save /nonexistent/x")


def test_watch_tells_what_happens(run: Session, fake: FakeDaemon, script: Path) -> None:
    run(f"apply {script}")
    client = run.shell.client
    changes = client.rollback(1, dry_run=True).changes
    commit = message("Commit", version=3, comment="rollback 1", changes=changes)
    fake.live.events = [
        message("Event", commit=commit),
        message("Event", link={"port": "p0", "up": True}),
        message("Event", worker={"wid": 2}),
        message("Event", nf={"port": "nf0", "what": "died", "times": 1}),
        message("Event", nf={"port": "nf0", "what": "refused", "times": 3}),
    ]
    said = run("watch")
    for line in ("version 3: rollback 1", "- q::Queue()", "port p0: link up", "worker 2 is paused"):
        assert f"{line}\n" in said
    for line in ("nf0: network function died", "nf0: network function refused 3 times"):
        assert f"{line}\n" in said


# The client.


@pytest.fixture(name="bess")
def connected(fake: FakeDaemon) -> BESS:
    client = BESS()
    client.connect(fake.address)
    return client


def test_a_transaction_is_one_request(bess: BESS, fake: FakeDaemon) -> None:
    edit = Transaction(bess)
    edit.create_module("Queue", "q", {"size": 8})
    edit.disconnect_modules("src")
    edit.connect_modules("src", "q")
    edit.attach_task("q", wid=0)
    done = edit.commit("a queue", expected_version=7, strict=True)
    assert done.version == 2 and [result.name for result in done.results] == ["made"] * 4
    (request,) = fake.live.requests
    assert [operation.WhichOneof("request") for operation in request.operations] == [
        *("create_module", "disconnect_modules", "connect_modules", "update_tc_parent")
    ]
    assert (request.expected_version, request.strict, request.comment) == (7, True, "a queue")
    assert request.operations[0].create_module.arg.type_url.endswith("/bess.pb.QueueArg")
    with pytest.raises(APIError, match="PauseAll cannot be part of a transaction"):
        edit.pause_all()


def test_a_refusal_has_all_of_its_problems(bess: BESS, fake: FakeDaemon) -> None:
    fake.live.problems = [message("Problem", path="modules/a", errno_value=2, message="no class")]
    with pytest.raises(StatusError) as caught:
        bess.apply({"modules": [{"name": "a", "mclass": "Nothing"}]})
    assert (caught.value.status, caught.value.code) == ("INVALID_ARGUMENT", 2)
    assert str(caught.value) == "modules/a: no class"
    fake.live.problems *= 2
    with pytest.raises(StatusError) as caught:
        bess.transact([])
    assert str(caught.value) == "2 problems:\n  modules/a: no class\n  modules/a: no class"
    with pytest.raises(StatusError):
        list(bess.watch())


def test_a_refusal_may_be_long(bess: BESS, fake: FakeDaemon) -> None:
    fake.live.problems = [
        message("Problem", path=f"modules/m{i}", message="x" * 500) for i in range(100)
    ]
    with pytest.raises(StatusError, match="100 problems:") as caught:
        bess.get_state()
    assert caught.value.problems[99].path == "modules/m99"


def test_a_refusal_may_have_more_than_it_tells() -> None:
    problem = Problem("workers/0", 22, "no such core")
    assert str(StatusError("INVALID_ARGUMENT", [problem], 150)) == (
        "150 problems:\n  workers/0: no such core\n  and 149 more"
    )


def test_bulk_commands_have_outcomes(bess: BESS) -> None:
    route = ("routes", "add", "IPLookupCommandAddArg", {"prefix": "10.0.0.0", "prefix_len": 8})
    nameless = ("", *route[1:])
    answers = list(bess.bulk_command([[route, nameless], [route]]))
    assert [[outcome.code for outcome in answer.outcomes] for answer in answers] == [[0, 5], [0]]


def test_states_and_history(bess: BESS, fake: FakeDaemon) -> None:
    bess.apply({"modules": [{"name": "a", "mclass": "Sink"}]}, comment="one")
    assert bess.get_state().state.modules[0].name == "a"
    assert not bess.get_state(version=1).state.modules
    assert [commit.comment for commit in bess.get_history(limit=1).commits] == ["one"]
    assert bess.rollback(1).changes[0].path == "modules/a" and not fake.live.state.modules
