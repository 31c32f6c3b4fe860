# SPDX-License-Identifier: Apache-2.0
"""How long files and functions may be. What fits on a screen gets read before it gets changed."""
from __future__ import annotations

import ast
import re
from typing import Iterator, NamedTuple

from tools.tree import CPP, PYTHON, Finding, Source, Tree

RULE = "sizes"
FILE_LINES = 700
FUNCTION_LINES = 60
MEASURED = (*CPP, *PYTHON, ".proto", ".cmake", ".sh")

TRANSPARENT = re.compile(
    r"\b(namespace|class|struct|union|enum)\b(?![^{]*\)\s*(const|noexcept|override)?\s*$)|extern\s*\"\""
)


class Function(NamedTuple):
    """Where a function stands and how many lines it has."""

    line: int
    lines: int


def check(tree: Tree) -> Iterator[Finding]:
    """Names each file and each function that is too long."""
    for source in tree.sources(*MEASURED):
        if len(source.lines) > FILE_LINES:
            yield Finding(
                source.path, 1, RULE, f"{len(source.lines)} lines; a file has at most {FILE_LINES}"
            )
        for function in functions(source):
            if function.lines > FUNCTION_LINES:
                message = f"{function.lines} lines; a function has at most {FUNCTION_LINES}"
                yield Finding(source.path, function.line, RULE, message)


def summary(tree: Tree) -> str:
    """One line that shows where the sizes are heading."""
    sources = tree.sources(*MEASURED)
    files = sorted(len(x.lines) for x in sources)
    lengths = sorted(f.lines for x in sources for f in functions(x))
    return (
        f"{len(files)} files: p90 {percentile(files, 90)}, longest {percentile(files, 100)} lines; "
        f"{len(lengths)} functions: p90 {percentile(lengths, 90)}, p99 {percentile(lengths, 99)}, "
        f"longest {percentile(lengths, 100)}"
    )


def percentile(ordered: list[int], percent: int) -> int:
    """The value that this share of an ordered list stays at or below."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1] if ordered else 0


def functions(source: Source) -> Iterator[Function]:
    """Finds the functions of a C++ or Python file."""
    if source.suffix in PYTHON:
        try:
            nodes = list(ast.walk(ast.parse(source.text)))
        except SyntaxError:
            return
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield Function(node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
    elif source.suffix in CPP:
        yield from cpp_functions(source.code)


def cpp_functions(code: str) -> Iterator[Function]:
    """Counts braces: a block outside any other whose head has parentheses is a function.

    Namespaces and classes are looked into; every other block, such as an initialiser, is skipped.
    That errs by a line or two where a constructor's initialisers have braces, and never on code
    that follows.
    """
    code = re.sub(r"\b(public|protected|private):", ";", code)
    code = re.sub(
        r"^[ \t]*#(?:.*\\\n)*.*$", lambda x: "\n" * x.group().count("\n"), code, flags=re.M
    )
    depth = head = 0
    start: int | None = None
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group()
        if depth == 0 and char == "{":
            text = code[head:at]
            if not TRANSPARENT.search(re.sub(r"template\s*<[^{;]*?>\s*(?=\w)", "", text)):
                depth, start = 1, head + len(text) - len(text.lstrip()) if "(" in text else None
        elif depth and char != ";":
            depth += 1 if char == "{" else -1
            if depth == 0 and start is not None:
                first = code.count("\n", 0, start) + 1
                yield Function(first, code.count("\n", 0, at) + 2 - first)
        if depth == 0:
            head = at + 1
