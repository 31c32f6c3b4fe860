# SPDX-License-Identifier: Apache-2.0
"""The demo as an ordinary user has it, and that it does not call books good that are not."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo import books, hosts
from demo.errors import DemoError
from demo.session import Demo, Options
from pybess.protos import protos
from rich.console import Console

LIVE = Path(__file__).resolve().parents[2] / "sample_conf" / "live.py"


def live(*options: str, **variables: str) -> Any:
    """The demo, away from any terminal."""
    return subprocess.run(
        [sys.executable, str(LIVE), *options],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_replay_needs_no_rights_and_ends_by_itself() -> None:
    done = live("--replay", "--seconds", "1")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("bessd ready", "The busiest second", "denied", "no_match", "The books add up"):
        assert word in done.stdout


@pytest.mark.parametrize(
    "options, variables, words",
    [
        (["--replay"], {"BESSD": "/nonexistent"}, ["/nonexistent", "./build.py build"]),
        (["--replay", "--seconds", "-1"], {}, ["--seconds must be above 0, not -1"]),
        (["--driver", "tap"], {}, ["tap", "af_packet"]),
    ],
)
def test_what_cannot_be_is_explained(
    options: list[str], variables: dict[str, str], words: list[str]
) -> None:
    done = live(*options, **variables)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(DemoError, match="ping not found: apt-get install iputils-ping"):
        hosts.check_tools("ping")


def kept(missing: int, unaccounted: int) -> books.Books:
    """Books in which so many packets are missing, in one module and in all."""
    totals = protos().message("LedgerTotals")
    entry = books.Entry("in", "PortInc", created=100, went=100 - missing)
    return books.Books(
        [entry], totals(created=100, consumed=100 - unaccounted, unaccounted=unaccounted)
    )


@pytest.mark.parametrize("missing, unaccounted", [(1, 0), (0, 1), (0, -1), (3, 3)])
def test_books_that_do_not_add_up_are_called_so(missing: int, unaccounted: int) -> None:
    shown = io.StringIO()
    wrong = kept(missing, unaccounted)
    books.show(wrong, Console(file=shown, width=120))
    assert not wrong.add_up and "do NOT add up" in shown.getvalue()
    assert ("in: " in shown.getvalue()) == (missing > 0)


def test_good_books_are_good() -> None:
    assert kept(0, 0).add_up


def test_a_demo_with_bad_books_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "settle", lambda _: kept(0, 1))
    shown = Console(file=io.StringIO(), width=120)
    assert Demo(Options(replay=True, seconds=0.2), shown).run() is False
