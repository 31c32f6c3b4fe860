# SPDX-License-Identifier: Apache-2.0
"""Figures as a picture: a bar for each with its range, and a panel of lines for what is a curve."""
from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")  # needs no screen
from matplotlib import pyplot  # noqa: E402
from figures import Figure  # noqa: E402

BAR_INCHES = 0.28
PANEL_INCHES = 3.0


def draw(figures: list[Figure], path: Path) -> None:
    """Writes an SVG file: a panel of bars for each unit, a panel for all curves of a unit."""
    bars = by_unit([x for x in figures if not x.curve])
    curves = by_unit([x for x in figures if x.curve])
    heights = [1 + BAR_INCHES * len(x) for x in bars] + [PANEL_INCHES] * len(curves)
    if not heights:
        return
    shape = {"height_ratios": heights}
    picture, panels = pyplot.subplots(
        len(heights), figsize=(9, sum(heights)), squeeze=False, gridspec_kw=shape
    )
    for panel, found in zip(panels[:, 0], bars):
        draw_bars(panel, found)
    for panel, found in zip(panels[len(bars) :, 0], curves):
        draw_curves(panel, found)
    picture.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)
    pyplot.close(picture)


def by_unit(figures: list[Figure]) -> list[list[Figure]]:
    """Figures that share an axis."""
    units = list(dict.fromkeys(x.unit for x in figures))
    return [[x for x in figures if x.unit == unit] for unit in units]


def draw_bars(panel: Any, figures: list[Figure]) -> None:
    """Horizontal bars, first on top, with lowest and highest and a mark where each should be."""
    places = range(len(figures))
    medians = [x.median for x in figures]
    lower = [x.median - min(x.values) for x in figures]
    upper = [max(x.values) - x.median for x in figures]
    panel.barh(places, medians, xerr=[lower, upper], color="#4c78a8", ecolor="#222222")
    wanted = [(x.reach, i) for i, x in enumerate(figures) if x.reach is not None]
    if wanted:
        panel.plot([x[0] for x in wanted], [x[1] for x in wanted], "|", color="#e45756", ms=14)
    panel.set_yticks(places, [x.name for x in figures])
    panel.invert_yaxis()
    panel.set_xlabel(figures[0].unit)


def draw_curves(panel: Any, figures: list[Figure]) -> None:
    """One line a curve, over size, on a logarithmic scale."""
    for name, points in groupby(
        sorted(figures, key=lambda x: (x.curve, x.size)), lambda x: x.curve
    ):
        line = list(points)
        panel.plot([x.size for x in line], [x.median for x in line], "o-", label=name)
    panel.set_xscale("log")
    panel.set_ylim(bottom=0)
    panel.set_xlabel("size")
    panel.set_ylabel(figures[0].unit)
    panel.legend()
