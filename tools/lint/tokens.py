# SPDX-License-Identifier: Apache-2.0
"""Words that stay out of the code, or out of some rooms, each with what to write instead."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator

from tools.tree import CPP, SOURCE, Finding, Source, Tree

RULE = "tokens"


@dataclass(frozen=True)
class Token:
    """A forbidden pattern; `free` names the rooms in which it is allowed."""

    pattern: re.Pattern[str]
    instead: str
    free: tuple[str, ...] = ()
    tests_too: bool = True


def token(pattern: str, instead: str, **options: object) -> Token:
    """Compiles one row of the tables below."""
    return Token(re.compile(pattern), instead, **options)  # type: ignore[arg-type]


CPP_TOKENS = [
    token(
        r"\b(v?f?printf|v?sn?printf|puts|fputs|putchar|perror)\s*\(",
        "log through spdlog, format with absl::StrCat",
        free=("nf", "bench"),
    ),
    token(r"\bstd::c(out|err)\b", "log through spdlog", tests_too=False, free=("bench",)),
    token(r"(?<!operator )\bnew\b(?!\s*\()", "own it: std::make_unique, a container"),
    token(r"(?<!operator )(?<!= )(?<!=)\bdelete\b", "own it: std::unique_ptr, a container"),
    token(r"\bvolatile\b", "std::atomic says what is meant"),
    token(
        r"\b__builtin_prefetch\b",
        "GCC may leave it out; Prefetch of core/base/prefetch.h stays",
        free=("core/base", "nf"),
    ),
    token(r"\b(std::)?(sto(i|l|ll|ul|ull|f|d)|ato(i|l|ll|f))\s*\(", "absl::SimpleAtoi and friends"),
    token(
        r"\breinterpret_cast\b(?!<(uintptr_t|(const )?(::)?sockaddr\*)>)",
        "PacketView hands out checked pointers; std::memcpy and LoadUnaligned read bytes",
        free=("core/packet", "nf", "bench"),
        tests_too=False,
    ),
    token(r"\brte_(panic|exit)\s*\(", "return an absl::Status"),
    token(r"\b(std::)?(abort|_exit|quick_exit)\s*\(", "return an absl::Status", tests_too=False),
    token(r"\busing\s+namespace\b", "name what is used"),
    token(r"\b(throw|catch)\b", "absl::Status", tests_too=False),
    token(r"\b(GTEST_SKIP|DISABLED_\w+)", "a test that does not run is no test"),
    token(r"\b(strcpy|strcat|sprintf|gets|alloca)\s*\(", "std::string, absl::Span"),
    token(r"\b(rand|srand)\s*\(", "absl::BitGen or the worker's generator"),
]

TEXT_TOKENS = [
    token(r"\b(TODO|FIXME|XXX|HACK)\b", "do it, or leave it for an issue"),
    token(r"@pytest\.mark\.(skip|xfail)\b(?!if)", "a test that does not run is no test"),
    token(r"(?<![\w.:])/(home|root|work|Users|mnt)/\w", "no path of one machine belongs here"),
]

# A raw new is fine where the word before owns the object, or where it is static and never destroyed.
OWNED = re.compile(
    r"(WrapUnique|AddGlobalTestEnvironment|(unique_ptr|shared_ptr)<[^;]*>(\s+\w+)?|\.reset|\bstatic\b[^;{}]*=)\s*[({*]?\s*$"
)


def check(tree: Tree) -> Iterator[Finding]:
    """Looks for each token in the code of C++ files, and for a few in the text of all."""
    for source in tree.sources(*CPP):
        for number, line in enumerate(source.code.splitlines(), 1):
            if re.match(r"\s*#\s*include\b", line):
                continue
            yield from findings(source, number, line, CPP_TOKENS)
    for source in tree.sources(*SOURCE, ".md", ".txt", "", ".toml"):
        for number, line in enumerate(source.lines, 1):
            yield from findings(source, number, line, TEXT_TOKENS)


def findings(source: Source, number: int, line: str, tokens: list[Token]) -> Iterator[Finding]:
    """Checks one line against one table."""
    for rule in tokens:
        if source.room in rule.free or (source.is_test and not rule.tests_too):
            continue
        for match in rule.pattern.finditer(line):
            if match.group() == "new" and OWNED.search(line[: match.start()]):
                continue
            yield Finding(source.path, number, RULE, f"{match.group().strip()}: {rule.instead}")
