# SPDX-License-Identifier: Apache-2.0
"""Differences between two states, drawn as those between two scripts: what a change adds, what it
removes, and of what it changes the statements that differ.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from besslang import Writer
from rich.text import Text

_MOST_LINES = 20
_STYLES = {"+": "green", "-": "red", "~": "yellow", "±": "bold yellow", " ": "dim"}
_SIGNS = {"ADD": "+", "REMOVE": "-", "UPDATE": "~", "REPLACE": "±"}
_DONE = {"ADD": "added", "REMOVE": "removed", "UPDATE": "changed", "REPLACE": "replaced"}


def draw(changes: Iterable[Any], writer: Writer) -> Text:
    """A line or more for each change, in colours."""
    drawn = Text()
    for change in changes:
        for sign, line in _limited(list(_lines(change, writer))):
            drawn.append(f"{sign.rjust(len(sign))} {line}\n", _STYLES[sign.strip() or " "])
    drawn.rstrip()
    return drawn


def summary(changes: Iterable[Any]) -> str:
    """How many changes of each kind there are, in words."""
    counts = Counter(_action(change) for change in changes)
    said = ", ".join(f"{counts[action]} {done}" for action, done in _DONE.items() if counts[action])
    return f"{said} (what those held is lost)" if counts["REPLACE"] else said


def _action(change: Any) -> str:
    return str(change.DESCRIPTOR.enum_types_by_name["Action"].values_by_number[change.action].name)


def _lines(change: Any, writer: Writer) -> Iterator[tuple[str, str]]:
    sign = _SIGNS.get(_action(change), "~")
    before, after = _statements(change, "before", writer), _statements(change, "after", writer)
    if not (before and after):
        yield from ((sign, line) for line in before or after)
    if (before and after) or change.commands:
        kind, _, name = change.path.partition("/")
        yield sign, f"{name} ({'replaced' if sign == '±' else kind})"
        yield from _line_differences(before, after)
        for command in change.commands:
            yield "    +", writer.command(name, command.cmd, command.arg)


def _statements(change: Any, side: str, writer: Writer) -> list[str]:
    if not change.HasField(side):
        return []
    return "\n".join(writer.entry(getattr(change, side))).split("\n")


def _line_differences(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if line[:2] not in ("--", "++", "@@"):
            yield f"    {line[0]}", line[1:]


def _limited(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], ("     ", f"… {len(lines) - _MOST_LINES} more lines")]
