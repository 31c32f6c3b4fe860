# SPDX-License-Identifier: Apache-2.0
"""Each way in which a case can fail does fail, and says why in words that help."""
from __future__ import annotations

from pathlib import Path

import pytest

from packet_check import check
from packet_file import LICENCE, PacketFileError, read
from packet_process import Runner, RunnerDied

HEAD = f"{LICENCE}\n# shows something\n"  # so a case begins in line 3
BYPASS = "test x\ngraph\n    a::Bypass()\n"
BROKEN = "test x\ngraph\n    a::TestBroken()\n"


@pytest.fixture(name="judge")
def fixture_judge(tmp_path: Path, runner: Runner) -> "Judge":
    """Runs the one case of a text."""
    return Judge(tmp_path / "x.pkt", runner)


class Judge:
    """Writes a file with one case, runs it, and keeps what was wrong."""

    def __init__(self, path: Path, runner: Runner) -> None:
        self.path, self.runner = path, runner

    def __call__(self, text: str) -> str:
        self.path.write_text(HEAD + text, encoding="utf-8")
        (case,) = read(self.path)
        return "\n".join(check(case, self.runner))


def test_a_case_that_is_right_passes(judge: Judge) -> None:
    assert judge(BYPASS + "in a 3\n    b'abc'\nout a 3\n    b'abc'\n") == ""


def test_a_wrong_packet_is_shown_with_the_bytes_that_differ(judge: Judge) -> None:
    ip = "Ether()/IP(src='10.0.0.1', dst='10.0.0.2', ttl={})/UDP()"
    said = judge(BYPASS + f"in a 0\n    {ip.format(63)}\nout a 0\n    {ip.format(64)}\n")
    assert "x.pkt:8: out a 0: packet 0 of 1 is wrong" in said
    assert "expected: Ether / IP / UDP 10.0.0.1:domain > 10.0.0.2:domain (42 bytes)" in said
    assert "IP.ttl: expected 64, came 63" in said
    lines = said.splitlines()
    at = next(i for i, line in enumerate(lines) if "- 0010" in line)
    minus, plus, marks = lines[at : at + 3]
    assert plus.strip().startswith("+ 0010")
    marked = [i for i in range(len(marks)) if marks[i : i + 2] == "^^" and marks[i - 1] == " "]
    assert [(minus[i : i + 2], plus[i : i + 2]) for i in marked] == [
        ("40", "3f"),  # the TTL, and the checksum it is in
        ("66", "67"),
    ]


@pytest.mark.parametrize(
    "expected, said",
    [
        ("b'2', b'1'", "the same packets in another order"),
        ("b'1',", "packet 1 was not expected"),
        ("b'1', b'2', b'3'", "packet 2 is missing"),
        ("", "expected 0 packets, 2 came"),
    ],
)
def test_order_and_number_of_packets_count(judge: Judge, expected: str, said: str) -> None:
    assert said in judge(BYPASS + f"in a 0\n    [b'1', b'2']\nout a 0\n    [{expected}]\n")


def test_any_counts(judge: Judge) -> None:
    steps = "in a 0\n    [b'1', b'2']\nout a 0 any "
    assert judge(BYPASS + steps + "2\n") == ""
    assert "expected 3 packets, 2 came" in judge(BYPASS + steps + "3\n")


def test_output_nobody_checks_is_a_failure(judge: Judge) -> None:
    said = judge(BYPASS + "in a 7\n    b'x'*20\n")
    assert "x.pkt:3: 1 packet came by `out a 7`, which no later step checks" in said


def test_a_drop_nobody_lists_is_a_failure(judge: Judge) -> None:
    steps = "in a 100\n    b'nobody collects gate 100'\n"
    said = judge(BYPASS + steps)
    assert "x.pkt:3: unlisted drop; to expect it, write: drop a dead_end 1" in said
    assert judge(BYPASS + steps + "drop a dead_end 1\n") == ""


def test_a_drop_that_does_not_happen_is_a_failure(judge: Judge) -> None:
    said = judge(BYPASS + "drop a denied 2\n")
    assert "x.pkt:6: expected 2 drops of 'a' as denied, there were 0" in said


def test_books_that_do_not_balance_are_a_failure(judge: Judge) -> None:
    said = judge(BROKEN + "in a 0\n    [b'F', b'fine']\nout a 0\n    b'fine'\n")
    assert "x.pkt:6: the books do not balance: 2 packets went in or were made, 1 are" in said
    assert "a: created 0, consumed 0, held 0" in said


def test_a_leak_is_a_failure(judge: Judge) -> None:
    assert "at the end: 1 packets were leaked" in judge(BROKEN + "in a 0\n    b'L'\n")


def test_the_sweep_finds_what_short_packets_do(judge: Judge) -> None:
    said = judge(BROKEN + "in a 0\n    b'S123'\nout a 0\n    b'S123'\n")
    assert "sweep: step 0 of 'x' with packet 0 cut to 1 bytes: the books do not balance" in said


def test_the_sweep_finds_what_packets_in_two_segments_do(judge: Judge) -> None:
    said = judge(BROKEN + "in a 0\n    b'M123'\nout a 0\n    b'M123'\n")
    assert "with packet 0 cut in two behind 1 bytes: the books do not balance" in said


def test_a_crash_is_a_failure_and_the_next_case_runs(judge: Judge) -> None:
    with pytest.raises(RunnerDied, match="at step 0 of 'x' with packet 0 cut to 1 bytes"):
        judge(BROKEN + "in a 0\n    b'C123'\nout a 0\n    b'C123'\n")
    assert judge(BYPASS) == ""


def test_commands_and_graphs_must_be_refused_as_written(judge: Judge) -> None:
    source = "test x\ngraph\n    a::Source()\n"
    assert judge(source + "refuse a set_burst(burst=65) : 65\n") == ""
    assert "it is: " in judge(source + "refuse a set_burst(burst=65) : cheese\n")
    assert "the command succeeds" in judge(source + "refuse a set_burst(burst=64) : 64\n")
    assert "x.pkt:6: command fails: " in judge(source + "command a set_burst(burst=65)\n")
    graph = "    a::Bypass()\n    a:9000 -> a\n"
    assert judge("test x\nrefuse graph : 9000\n" + graph) == ""
    graph = "    a::Split(size=9)\n"
    assert judge("test x\nrefuse graph : 9\n" + graph) == ""
    assert "it is: " in judge("test x\nrefuse graph : cheese\n" + graph)
    assert "x.pkt:4: the graph is refused: " in judge("test x\ngraph\n" + graph)
    assert "the graph is accepted" in judge(BYPASS.replace("graph", "refuse graph : cheese"))


@pytest.mark.parametrize(
    "text, said",
    [
        ("run a\n", "x.pkt:3: 'run' before the first 'test'"),
        ("test x\n", "x.pkt:3: test 'x' has no graph"),
        (BYPASS + "in a\n    b'1'\n", "x.pkt:6: write: in MODULE IGATE"),
        (BYPASS + "in a 0\n", "x.pkt:6: the packets are missing"),
        (BYPASS + "in a 0\n    b'1\n", "x.pkt:7: not a Python expression"),
        (BYPASS + "in a 0\n    [b'1',\n    b'2'\n", "x.pkt:7: a bracket is opened here"),
        (BYPASS + "in a 0\n    Eher()\n", "x.pkt:7: NameError: name 'Eher' is not defined"),
        (BYPASS + "in a 0\n    17\n", "x.pkt:7: TypeError: 17 is not a packet"),
        (BYPASS + "in b 0\n    b''\n", "x.pkt:6: there is no module 'b'; there is a"),
        (BYPASS + "in port p 0\n    b''\n", "x.pkt:6: there is no port 'p'; there is none"),
        (BYPASS + "jump\n", "x.pkt:6: no step is called 'jump'"),
        (BYPASS + "run a often\n", "x.pkt:6: write: run MODULE"),
        (BYPASS + "refuse a go() TEXT\n", "x.pkt:6: write: refuse"),
        (BYPASS + "command a go()\n", "x.pkt:6: Bypass has no command 'go'"),
        (BYPASS + "drop a denied 1\ndrop a denied 2\n", "x.pkt:7: line 6 counts these already"),
        (BYPASS + BYPASS, "x.pkt:6: line 3 has a test 'x' already"),
        ("test x\ngraph\n    a::Bypas()\n", "x.pkt:5: "),
        ("test x\ngraph\n\n    a::Bypass(cheese=1)\n", "x.pkt:6: "),
    ],
)
def test_errors_of_a_file_name_the_line(judge: Judge, text: str, said: str) -> None:
    with pytest.raises(PacketFileError) as error:
        judge(text)
    assert said in str(error.value)


def test_a_file_begins_with_its_licence_and_its_purpose(tmp_path: Path) -> None:
    path = tmp_path / "x.pkt"
    path.write_text(BYPASS, encoding="utf-8")
    with pytest.raises(PacketFileError, match="x.pkt:1: the first line"):
        read(path)
    path.write_text(f"{LICENCE}\n{BYPASS}", encoding="utf-8")
    with pytest.raises(PacketFileError, match="x.pkt:2: the second line"):
        read(path)
