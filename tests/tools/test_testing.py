# SPDX-License-Identifier: Apache-2.0
"""Which runs `build.py test` makes of what was asked."""

from pathlib import Path

from tools import shell, testing


def test_chaos_is_full_size_and_nothing_else() -> None:
    runs = testing.chaos_runs()
    assert [run.name for run in runs] == testing.CHAOS
    for run in runs:
        command = run.command(Path("report"), quick=False)
        assert testing.CHAOS_FILTER in command if run.target else "chaos" in command
        assert run.environment()["BESS_CHAOS"] == "1"


def test_ordinary_runs_are_short() -> None:
    for run in testing.all_runs(quick=False):
        command = run.command(Path("report"), quick=False)
        assert testing.CHAOS_FILTER not in command and "chaos" not in command
        assert "BESS_CHAOS" not in run.environment()


def test_there_are_chaos_tests() -> None:
    programs = (shell.ROOT / "core" / "port").glob("*_test.cc")
    assert any("Chaos" in path.read_text(encoding="utf-8") for path in programs)
    suite = (shell.ROOT / "tests" / "system").glob("test_*.py")
    assert any("def test_chaos" in path.read_text(encoding="utf-8") for path in suite)
