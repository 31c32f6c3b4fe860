# SPDX-License-Identifier: Apache-2.0
"""Programs that hang, and tools that are not there."""
from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Sequence

import pytest

from tools import live, new_module, shell

ROOT = Path(__file__).resolve().parents[2]


def test_time_limit_ends_children_too(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"(sleep 2; touch {mark}) & sleep 60"
    with open(tmp_path / "log", "a", encoding="utf-8") as log:
        status = shell.run_limited(["sh", "-c", script], {}, log, 1)
    assert status == 124
    assert "still running" in (tmp_path / "log").read_text(encoding="utf-8")
    time.sleep(2)
    assert not mark.exists()


def test_missing_tool() -> None:
    with pytest.raises(shell.Failed, match="no_such_tool is not installed"):
        shell.tool("no_such_tool")


def test_help_names_every_word() -> None:
    outcome = subprocess.run(
        [sys.executable, ROOT / "build.py", "-h"], capture_output=True, text=True
    )
    for word in ("setup", "build", "run", "test", "lint", "format", "new-module", "docs"):
        assert f"    {word}" in outcome.stdout


def test_bench_looks_at_words_before_it_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Sequence[str]] = []

    def build(_program: Path, args: argparse.Namespace, _targets: Sequence[str] = ()) -> int:
        built.append(args.args)
        return 0

    monkeypatch.setattr(live, "hand_over", build)
    fine = ["source_sink", "lookups", "--json", "elsewhere.json", "--list"]
    for words in ([], fine, ["--", *fine], ["nf", "rate"]):
        live.bench_command(argparse.Namespace(args=words))
        assert built.pop() == words
    for words in (["nonsense"], ["--", "nonsense"], ["nat", "nonsense"], ["--list", "nat", "no"]):
        with pytest.raises(shell.Failed) as caught:
            live.bench_command(argparse.Namespace(args=words))
        assert f"there is no bench {words[-1]}; there are " in str(caught.value)
        assert "source_sink" in str(caught.value) and "sched, live, nf" in str(caught.value)
    assert not built


def test_a_new_module_s_next_step_is_that_of_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(new_module, "create", lambda *_: [])
    new_module.command(argparse.Namespace(name="rate_meter"))
    said = capsys.readouterr().out
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (heading,) = re.findall("'(.*)'", said)
    (command,) = re.findall("`(.*)`", said)
    assert f"\n## {heading}\n" in page and f"\n7. `{command}`.\n" in page
    words = command.partition(" --quick ")[2].split()
    listed = subprocess.run(
        [sys.executable, ROOT / "build.py", "test", "--list"], capture_output=True, text=True
    ).stdout
    for word in words:
        assert word in listed


@pytest.mark.parametrize("arguments", [["lint", "nonsense"], ["test", "nonsense"]])
def test_unknown_names_are_refused(arguments: list[str]) -> None:
    outcome = subprocess.run(
        [sys.executable, ROOT / "build.py", *arguments], capture_output=True, text=True
    )
    assert outcome.returncode == 1
    assert "nonsense" in outcome.stderr and "--list" in outcome.stderr
