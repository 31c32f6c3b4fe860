# SPDX-License-Identifier: Apache-2.0
"""Figures: what a bench found, as a text table, as a JSON file, and compared with an earlier run.

A figure has one value for each repetition. Its median counts; lowest and highest say how far to
trust it, and two runs differ only where these ranges do not touch.
"""
from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional


@dataclass
class Settings:
    """How thoroughly to measure: what every group of benches is handed."""

    repetitions: int = 5
    seconds: float = 1.0  # of each measurement


@dataclass
class Figure:
    """One thing that was measured. Several of one name are one line of the table."""

    name: str
    unit: str
    values: list[float]
    reach: Optional[float] = None  # what the median should reach
    less_is_better: bool = False
    curve: str = ""  # figures of one curve are plotted as one line, over `size`
    size: float = 0

    @property
    def median(self) -> float:
        """What counts."""
        return statistics.median(self.values)

    def reached(self) -> bool:
        """Whether the median is where it should be; true when nothing was asked."""
        if self.reach is None:
            return True
        return self.median <= self.reach if self.less_is_better else self.median >= self.reach

    def text(self) -> str:
        """Median, range, unit, and what it should be."""
        spread = f"({number(min(self.values))}..{number(max(self.values))})"
        shown = f"{number(self.median):>7} {spread:<16} {self.unit:<12}"
        if self.reach is None:
            return shown
        bound = f"{'<=' if self.less_is_better else '>='} {self.reach:g}"
        return f"{shown} {bound:<8} {'' if self.reached() else 'MISSED':<6}"


def number(value: float) -> str:
    """Three digits that matter, whatever the size."""
    if value == 0:
        return "0"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:.{digits}f}"


def table(figures: list[Figure]) -> str:
    """A line for each name; its first figure has the range, those behind it the median alone."""
    lines: dict[str, list[str]] = {}
    for figure in figures:
        if figure.name not in lines:
            lines[figure.name] = [f"{figure.name:<22} {figure.text()}"]
        else:
            lines[figure.name].append(f"{number(figure.median)} {figure.unit}")
    return "\n".join("  ".join(parts).rstrip() for parts in lines.values())


def save(figures: list[Figure], path: Path) -> None:
    """Writes all values to a file that load() reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(x) for x in figures], indent=1) + "\n")


def load(path: Path) -> list[Figure]:
    """Figures of an earlier run."""
    return [Figure(**x) for x in json.loads(path.read_text())]


def compare(old: list[Figure], new: list[Figure]) -> str:
    """What moved beyond noise: a line for each figure whose ranges in both runs do not touch."""
    before = {(x.name, x.unit): x for x in old}
    lines = []
    for figure in new:
        its = before.get((figure.name, figure.unit))
        if its is None or not apart(its, figure):
            continue
        change = 100 * (figure.median / its.median - 1) if its.median else 0.0
        better = (figure.median < its.median) == figure.less_is_better
        lines.append(
            f"{figure.name:<22} {number(its.median)} -> {number(figure.median)} {figure.unit}"
            f"  {change:+.0f} % {'better' if better else 'worse'}"
        )
    return "\n".join(lines) or "nothing moved beyond noise"


def apart(one: Figure, other: Figure) -> bool:
    """Whether two figures differ by more than their repetitions do among themselves."""
    return min(one.values) > max(other.values) or max(one.values) < min(other.values)
