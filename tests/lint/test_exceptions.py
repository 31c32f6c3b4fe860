# SPDX-License-Identifier: Apache-2.0
"""An exception excuses what it names, and is itself an error once nothing needs it."""
from __future__ import annotations

from tools.lint import exceptions
from tools.tree import Finding

FOUND = Finding("a.cc", 3, "tokens", "new: own it")


def test_excused() -> None:
    table = {("tokens", "a.cc", "new"): "because"}
    assert not list(exceptions.apply([FOUND, FOUND], {"tokens"}, table))


def test_not_excused() -> None:
    other = {("tokens", "a.cc", "delete"): "", ("rooms", "a.cc", ""): "", ("tokens", "b", ""): ""}
    assert FOUND in list(exceptions.apply([FOUND], set(), other))


def test_no_longer_needed() -> None:
    table = {("tokens", "a.cc", "new"): "because"}
    (finding,) = exceptions.apply([], {"tokens"}, table)
    assert finding.path == "a.cc"
    assert not list(exceptions.apply([], {"rooms"}, table))


def test_every_exception_has_a_reason() -> None:
    assert all(len(reason) > 10 for reason in exceptions.TABLE.values())
