# SPDX-License-Identifier: Apache-2.0
"""What the scheduler's bench concludes from what it measured."""

import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "bench"), str(REPO / "sample_conf"), str(REPO / "bessctl")]

from bounded import Figure  # noqa: E402
from sched_shares import weights  # noqa: E402


def test_bounds_are_kept_or_missed() -> None:
    assert Figure("error", 1.0, 1.0, "%").kept
    assert not Figure("error", 1.01, 1.0, "%").kept
    assert Figure("part", 80, 80, "%", at_least=True).kept
    assert not Figure("part", 79, 80, "%", at_least=True).kept
    assert "MISSED" in str(Figure("error", 2, 1, "%"))


def test_weights_go_from_1_to_1000() -> None:
    for classes in (2, 8, 64):
        made = weights(classes)
        assert len(made) == classes and made == sorted(made)
        assert (made[0], made[-1]) == (1, 1000)
