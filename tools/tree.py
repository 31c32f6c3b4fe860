# SPDX-License-Identifier: Apache-2.0
"""The files under check, read once and shared by all rules."""
from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

CPP = (".cc", ".h", ".c")
PYTHON = (".py",)
SOURCE = (*CPP, *PYTHON, ".proto", ".cmake", ".sh", ".bess", ".pkt")
NOT_OURS = {"build", ".git", "__pycache__", ".mypy_cache", ".pytest_cache"}

# Comments and literals of C++, in the order in which they have to be tried.
NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])+'""", re.S
)


@dataclass(frozen=True)
class Finding:
    """One broken rule, at one place."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Source:
    """One text file; path is relative to the tree, with slashes."""

    path: str
    text: str

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines as they are."""
        return self.text.splitlines()

    @functools.cached_property
    def code(self) -> str:
        """C++ without comments, with empty literals; lines keep their numbers."""

        def blank(match: re.Match[str]) -> str:
            text = match.group()
            quotes = text[0] if text[0] in "\"'" else '"' if text[0] == "R" else ""
            return quotes + "\n" * text.count("\n") + quotes

        return NOT_CODE.sub(blank, self.text)

    @functools.cached_property
    def includes(self) -> list[tuple[int, str]]:
        """The line and the name of each included file."""
        pattern = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
        found = ((number, pattern.match(line)) for number, line in enumerate(self.lines, 1))
        return [(number, match.group(1)) for number, match in found if match]

    @property
    def suffix(self) -> str:
        """With the dot; empty for a name without one."""
        return os.path.splitext(self.path)[1]

    @property
    def room(self) -> str:
        """core/packet, modules, tests...: the part of the house that this file is in."""
        parts = self.path.split("/")
        if parts[0] == "core":
            return "/".join(parts[:2])
        return parts[0] if len(parts) > 1 else ""

    @property
    def is_test(self) -> bool:
        """Whether only tests and benchmarks are built from it."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        return stem.endswith(("_test", "_testing", "_tester", "_bench")) or self.room in (
            "tests",
            "bench",
        )


class Tree:
    """A directory with everything below it that is ours and is text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = sorted(self._walk())

    def _walk(self) -> Iterator[str]:
        for directory, below, files in os.walk(self.root):
            below[:] = [x for x in below if x not in NOT_OURS]
            for name in files:
                path = Path(directory, name)
                if name not in NOT_OURS and not path.is_symlink():
                    yield path.relative_to(self.root).as_posix()

    @functools.cached_property
    def texts(self) -> list[Source]:
        """Every file that reads as text."""
        found = []
        for name in self.names:
            try:
                found.append(Source(name, (self.root / name).read_text(encoding="utf-8")))
            except (UnicodeDecodeError, FileNotFoundError):
                continue
        return found

    def sources(self, *suffixes: str) -> list[Source]:
        """The texts with one of these suffixes."""
        return [x for x in self.texts if x.suffix in suffixes]
