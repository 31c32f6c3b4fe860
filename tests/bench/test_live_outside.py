# SPDX-License-Identifier: Apache-2.0
"""What recordings at both ends of the switch say of edits."""

import sys
from array import array
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "bench"), str(REPO / "sample_conf"), str(REPO / "bessctl")]

import live_outside  # noqa: E402
from live_outside import DEVICES, Times  # noqa: E402

MILLISECOND = 1_000_000
WAYS = {
    "live": Times([0], [10 * MILLISECOND]),
    "paused": Times([20 * MILLISECOND], [30 * MILLISECOND]),
    "none": Times([40 * MILLISECOND], [50 * MILLISECOND]),
}


def figures(
    tmp_path: Path, came: list[tuple[int, int]], left: list[tuple[int, int]]
) -> list[float]:
    """Of packets with these numbers, at these microseconds."""
    for device, packets in zip(DEVICES, (came, left)):
        words = [word for number, at in packets for word in (number, at * 1000)]
        (tmp_path / device).write_bytes(array("Q", words).tobytes())
    return [figure.value for figure in live_outside.stays(tmp_path, WAYS)]


def test_what_edits_add_is_beside_what_is_there_without(tmp_path: Path) -> None:
    at = [1000, 2000, 21000, 22000, 41000, 42000]
    stay = [30, 30, 500, 500, 10, 10]
    came = list(enumerate(at))
    left = [(number, when + stay[number]) for number, when in came]
    assert figures(tmp_path, came, left) == pytest.approx([20, 20, 20, 0.02, 0, 0])


def test_losses_under_pauses_are_the_pauses_own(tmp_path: Path) -> None:
    came = [
        (0, 1000),
        (1, 2000),
        (2, 3000),
        (3, 21000),
        (4, 22000),
        (5, 23000),
        (6, 41000),
        (7, 42000),
    ]
    left = [(number, when + 10) for number, when in came if number not in (1, 4)]
    assert figures(tmp_path, came, left)[4:] == [1, 0]


def test_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    came = [(number, 1000 * at) for number, at in enumerate((1, 2, 21, 22, 41, 42))]
    left = [(number, when + 10) for number, when in came]
    assert figures(tmp_path, came, [left[1], left[0], *left[2:], left[5]])[5] == 2


def test_the_time_of_an_edit_is_from_its_start_on() -> None:
    times = Times([100, 200], [150, 250])
    assert [times.has(at) for at in (99, 101, 150, 151, 200, 201, 251)] == [
        False, True, True, False, False, True, False,
    ]  # fmt: skip
