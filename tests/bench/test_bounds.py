# SPDX-License-Identifier: Apache-2.0
"""Benches with bounds: what they print and conclude, and how ratios are taken."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "bench"), str(REPO / "sample_conf"), str(REPO / "bessctl")]

import bounds  # noqa: E402
import nf_rates  # noqa: E402
from bounded import Figure  # noqa: E402


def good() -> Iterator[Figure]:
    """Kept."""
    yield Figure("one", 1, 2, "ms")


def bad() -> Iterator[Figure]:
    """Missed."""
    yield Figure("two", 3, 2, "ms")


FAMILIES: bounds.Families = {"good": good, "bad": bad}


def run(*words: str) -> int:
    """The status of a bench with these words behind its name."""
    return bounds.run("fake", list(words), FAMILIES)


def test_a_missed_bound_is_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    assert run("--json", str(figures)) == 1
    said = capsys.readouterr().out
    assert "1 of 2 bounds kept" in said and "MISSED" in said
    assert [figure["kept"] for figure in json.loads(figures.read_text())] == [True, False]


def test_words_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("good") == 0
    assert "1 of 1 bounds kept" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("ugly")


def test_ratios_are_taken_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nf_rates, "ROUNDS", 3)
    mine, its = iter([10.0, 300.0, 40.0]), iter([1.0, 100.0, 10.0])
    figure = nf_rates.compare("rate", lambda _: next(mine), lambda _: next(its), 512, 0.75)
    assert (figure.value, figure.kept) == (4, True)


def test_with_one_packet_in_flight_times_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nf_rates, "ROUNDS", 1)
    figure = nf_rates.compare("latency", lambda _: 2e6, lambda _: 3e6, 1, 1.4)
    assert (figure.value, figure.kept) == (1.5, False)
    assert figure.yardstick == "1.50 .. 1.50; 2.00 / 3.00 M packets/s"
