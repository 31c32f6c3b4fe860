# SPDX-License-Identifier: Apache-2.0
"""Lookups against DPDK's: the program finds the same as DPDK, and what it prints becomes ratios."""

from groups import lookups

SMALL = ["exact4/1000", "exact16/1000", "mac/1000", "prefix/1000", "acl/10", "acl/100"]


def test_ratios_are_taken_within_a_repetition() -> None:
    ratio, ours, theirs = lookups.figures(["acl/10 20 10\n", "acl/10 30 20\n", "acl/10 10 10\n"])
    assert ratio.name == ours.name == theirs.name == "acl/10"
    assert ratio.values == [2, 1.5, 1] and not ratio.reached()
    assert (ours.median, theirs.median) == (20, 10)


def test_small_tables_find_what_dpdk_finds() -> None:
    found = lookups.figures([lookups.run(*SMALL)])
    assert [figure.name for figure in found[::3]] == SMALL
    assert min(figure.median for figure in found) > 0
