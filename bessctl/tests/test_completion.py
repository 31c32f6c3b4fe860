# SPDX-License-Identifier: Apache-2.0
"""What Tab offers, at every kind of place in a line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from besscli.completion import ShellCompleter
from fake_daemon import FakeDaemon
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from session import Session

Complete = Callable[[str], list[str]]


@pytest.fixture(name="complete")
def completer(run: Session) -> Complete:
    """A pipeline to complete names of, and the completer."""
    run("add module Source src", "add module Sink dst", "add connection src dst 3 1")
    run("add port PMDPort p0 vdev=x", "add worker 2 0", "track enable src out 3")
    run("import plugin /opt/good.so")
    shell_completer = ShellCompleter(run.shell)

    def complete(text: str) -> list[str]:
        found = shell_completer.get_completions(Document(text), CompleteEvent())
        return [completion.text for completion in found]

    return complete


@pytest.mark.parametrize(
    "text, offered",
    [
        ("sh", ["show"]),
        ("show mo", ["module"]),
        ("sh mod ", ["dst", "src"]),
        ("show module src ", ["dst", "src"]),
        ("help sh", ["show"]),
        ("help show mo", ["module"]),
        ("add module Sou", ["Source"]),
        ("add module Source src ", ["no_pause", "pause", "pkt_size="]),
        ("add module Source src p", ["pause", "pkt_size="]),
        ("add module Source src pause ", ["pkt_size="]),
        ("add port PMDP", ["PMDPort"]),
        ("add port PMDPort p num_i", ["num_inc_q="]),
        ("add port PMDPort p a=1 num_i", ["num_inc_q="]),
        ("command module src set_b", ["set_burst"]),
        ("command module src set_burst ", ["SourceCommandSetBurstArg"]),
        ("command module src set_burst SourceCommandSetBurstArg ", ["burst="]),
        ("command gatehook ", ["track0"]),
        ("command gatehook track0 src o", ["out"]),
        ("command gatehook track0 src out ", ["3"]),
        ("command gatehook track0 src out 3 ", ["reset"]),
        ("command gatehook track0 src out 3 reset ", ["EmptyArg"]),
        ("configure port p0 m", ["mac_addr=", "mtu="]),
        ("delete connection src ", ["3", "ogate"]),
        ("delete connection src ogate ", ["3"]),
        ("delete worker ", ["2"]),
        ("tcpdump src out ", ["3"]),
        ("tcpdump dst in ", ["1"]),
        ("track enable s", ["src"]),
        ("show gatehookclass Tc", ["TcpDump"]),
        ("show system packets ", ["0", "1"]),
        ("unload plugin ", ["/opt/good.so"]),
        ("http ", ["localhost"]),
        ("app", ["apply"]),
        ("apply x --", ["--dry-run"]),
        ("rollback ", ["1"]),
        ("history ", ["shell"]),
        ("nonsense ", []),
        ("command module nobody ", []),
    ],
)
def test_completion(complete: Complete, text: str, offered: list[str]) -> None:
    assert complete(text) == offered


def test_variables_of_a_script(complete: Complete, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "a.bess"
    script.parent.mkdir()
    script.write_text("Source(pkt_size=int($SIZE!60))  # not $THIS\n")
    assert complete(f"run file {script} ") == ["SIZE="]
    assert complete(f"run file {tmp_path}/scripts/") == ["a.bess"]
    assert complete(f"apply {script} SI") == complete(f"diff {script} ") == ["SIZE="]
    assert complete(f"save {tmp_path}/scr") == ["ipts"]
    assert "l2_switch" in complete("run l2")


def test_nothing_is_offered_when_no_daemon_answers(complete: Complete, fake: FakeDaemon) -> None:
    fake.stop()
    assert complete("show module ") == [] and complete("show mo") == ["module"]
