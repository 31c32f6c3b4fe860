# SPDX-License-Identifier: Apache-2.0
"""What bessd is made for: no slower than DPDK's own forwarder on the same core in the same run.

The measured ratios are well above 1 (docs/performance.md), so a figure below it is a regression and not noise.
"""

import statistics
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("bench", "sample_conf", "bessctl")]

import bench  # noqa: E402
import yardstick  # noqa: E402

REPETITIONS = 5
SECONDS = 0.5


@pytest.fixture(scope="module", name="figures")
def _figures() -> dict[str, list[float]]:
    assert yardstick.available(), "dpdk-testpmd is in Debian's package dpdk"
    return bench.run(bench.SCENARIOS, REPETITIONS, SECONDS)


@pytest.mark.parametrize("scenario", [x.stem for x in bench.SCENARIOS])
def test_at_least_as_fast_as_testpmd(figures: dict[str, list[float]], scenario: str) -> None:
    """The median over repetitions of the ratio within each."""
    found = bench.ratios(figures, scenario)
    assert statistics.median(found) >= 1.0, f"ratios to testpmd: {found}"


def test_the_table_has_a_line_for_each() -> None:
    """Figures in, ratios out: 3 over 2 is 1.50."""
    table = bench.table({"testpmd": [2e6, 4e6], "mine": [3e6, 6e6]})
    assert table.splitlines()[1].split() == ["testpmd", "3.0", "1.00", "(1.00..1.00)"]
    assert table.splitlines()[2].split() == ["mine", "4.5", "1.50", "(1.50..1.50)"]
