# SPDX-License-Identifier: Apache-2.0
"""What more entries in a table cost: each graph of bench/sizes/, with tables of several sizes.

A graph says by a line `# sizes: 10 100` which, and finds the size in $SIZE.
"""
from __future__ import annotations

import re
from pathlib import Path

import forwarding
from figures import Figure, Settings
from forwarding import Scenario

DIRECTORY = Path(__file__).resolve().parents[1] / "sizes"


def measure(settings: Settings) -> list[Figure]:
    """A curve for each graph: the ratio to the yardstick, over the size."""
    found = []
    for path in sorted(DIRECTORY.glob("*.bess")):
        for size in sizes(path):
            scenario = Scenario(path, None, {"SIZE": size}, f"{path.stem}@{size}")
            ratio, *others = forwarding.measure([scenario], settings)[:3]
            ratio.curve, ratio.size = path.stem, size
            found += [ratio, *others]
    return found


def sizes(path: Path) -> list[int]:
    """What the graph is to be measured with."""
    line = re.search(r"^# sizes: ([\d ]+)$", path.read_text(), re.MULTILINE)
    if line is None:
        raise SystemExit(f"{path} has no line '# sizes: ...'")
    return [int(x) for x in line.group(1).split()]
