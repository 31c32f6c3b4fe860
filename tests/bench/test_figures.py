# SPDX-License-Identifier: Apache-2.0
"""What becomes of measured values: ratios, tables, files, pictures, comparisons."""

import importlib
from pathlib import Path

import bench
import figures
import forwarding
import plot
import pytest
from figures import Figure


def test_ratios_are_taken_within_a_repetition() -> None:
    """3 over 2 and 6 over 4 are 1.5 both, however much the machine slowed in between."""
    scenario = forwarding.Scenario(Path("mine.bess"), reach=1.2)
    ratio, mpps, cycles = forwarding.figures_of(scenario, [3e6, 6e6], [2e6, 4e6])
    assert ratio.values == [1.5, 1.5]
    assert ratio.reached()
    assert mpps.values == [3.0, 6.0]
    assert cycles.values[0] == 2 * cycles.values[1]


def test_a_line_for_each_name() -> None:
    """The first figure of a name shows its range and bound, others their median."""
    found = [
        Figure("a", "x testpmd", [1.0, 3.0, 2.0], reach=2.5),
        Figure("a", "Mpps", [123.4]),
        Figure("b", "us", [7.0], reach=8, less_is_better=True),
    ]
    first, second = figures.table(found).splitlines()
    assert first.split() == [
        *("a", "2.00", "(1.00..3.00)", "x", "testpmd", ">=", "2.5", "MISSED", "123.4", "Mpps")
    ]
    assert second.split() == ["b", "7.00", "(7.00..7.00)", "us", "<=", "8"]


@pytest.mark.parametrize(
    "values, less_is_better, verdict",
    [
        ([11.0, 12.0], False, "10.5 -> 11.5 x  +10 % better"),
        ([11.0, 12.0], True, "10.5 -> 11.5 x  +10 % worse"),
        ([8.0, 9.0], False, "10.5 -> 8.50 x  -19 % worse"),
        ([10.5, 20.0], False, "nothing moved beyond noise"),
    ],
)
def test_only_ranges_that_do_not_touch_have_moved(
    values: list[float], less_is_better: bool, verdict: str
) -> None:
    """A median may wander within the other run's range."""
    old = [Figure("a", "x", [10.5, 10.4, 10.6], less_is_better=less_is_better)]
    new = [Figure("a", "x", values, less_is_better=less_is_better), Figure("new", "x", [1.0])]
    assert figures.compare(old, new).endswith(verdict)


def test_files_give_back_what_was_written(tmp_path: Path) -> None:
    """Also what is a curve."""
    found = [Figure("a", "x", [1.5]), Figure("b 10", "cycles", [2.0], curve="b", size=10)]
    figures.save(found, tmp_path / "deep" / "figures.json")
    assert figures.load(tmp_path / "deep" / "figures.json") == found


def test_the_picture_names_every_figure(tmp_path: Path) -> None:
    """Text stays text in an SVG, so what is drawn can be read back."""
    found = [Figure("some bar", "x", [1.0, 2.0], reach=3)]
    found += [Figure(f"line {n}", "cycles", [n], curve="some line", size=n) for n in (1, 10)]
    plot.draw(found, tmp_path / "figures.svg")
    picture = (tmp_path / "figures.svg").read_text()
    assert "<!-- some bar -->" in picture
    assert "<!-- some line -->" in picture


@pytest.mark.parametrize("group", bench.GROUPS)
def test_each_group_can_be_measured(group: str) -> None:
    """What bench.py calls is there, and the name is no scenario's."""
    assert callable(importlib.import_module(f"groups.{group}").measure)
    assert not forwarding.named([group])
