# SPDX-License-Identifier: Apache-2.0
"""The rules that ask another program pass on what it says."""
from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable

import pytest

from tools import shell
from tools.lint import compiled, formatters, tidy
from tools.tree import Tree

ROOT = Path(__file__).resolve().parents[2]


def findings(check: Callable[[Tree], object], tree: Tree) -> list[tuple[str, int]]:
    return [(x.path, x.line) for x in check(tree)]  # type: ignore[attr-defined]


def test_clang_format(make_tree: Callable[..., Tree]) -> None:
    style = (ROOT / ".clang-format").read_text(encoding="utf-8")
    tree = make_tree({".clang-format": style, "a.cc": "int a;\nint  b;\n", "b.h": "int b;\n"})
    assert findings(formatters.check_clang_format, tree) == [("a.cc", 2)]


def test_black(make_tree: Callable[..., Tree]) -> None:
    tree = make_tree({"a.py": "a = 'x'\n", "b.py": 'b = "x"\n'})
    assert findings(formatters.check_black, tree) == [("a.py", 1)]


def test_mypy(make_tree: Callable[..., Tree]) -> None:
    bad = "def f() -> int:\n    return ''\n"
    tree = make_tree({"tools/a.py": bad, "tests/x/conftest.py": "", "tests/y/conftest.py": bad})
    found = findings(formatters.check_mypy, tree)
    assert found == [("tests/y/conftest.py", 2), ("tools/a.py", 2)]


@pytest.fixture
def in_tree(make_tree: Callable[..., Tree], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tree]:
    """Makes a tree that the rules which compile take for the repository."""

    def make(files: dict[str, str]) -> Tree:
        tree = make_tree(files)
        monkeypatch.setattr(shell, "ROOT", tree.root)
        monkeypatch.setattr(compiled, "RELEASE", tree.root)
        monkeypatch.setattr(compiled, "PASSED", tree.root / "build" / "lint")
        return tree

    return make


def test_headers(in_tree: Callable[..., Tree]) -> None:
    good = "#pragma once\n#include <string>\nstd::string F();\n"
    tree = in_tree({"core/a/good.h": good, "core/a/bad.h": "#pragma once\nstd::string F();\n"})
    flags = {"core/a/a.cc": ["-std=c++20", "-I", str(tree.root), "-c"]}
    found = list(compiled.check_headers(tree, flags, 1))
    assert [(x.path, x.line) for x in found] == [("core/a/bad.h", 2)]


def test_tidy_finds_and_remembers(in_tree: Callable[..., Tree]) -> None:
    shared = "#pragma once\nint Shared();\n"
    files = {"core/a/a.h": shared, "core/a/a.cc": '#include "core/a/a.h"\nint bad_Name;\n'}
    files["core/a/b.cc"] = '#include "core/a/a.h"\nint good_name;\n'
    tree = in_tree(files)
    shutil.copy(ROOT / ".clang-tidy", tree.root)
    flags = {
        name: ["-std=c++20", f"-I{tree.root}", "-c"] for name in ("core/a/a.cc", "core/a/b.cc")
    }
    found = list(tidy.check(tree, flags, 1))
    assert [(x.path, x.line) for x in found] == [("core/a/a.cc", 2)]
    stamps = set((tree.root / "build" / "lint").glob("*.tidy"))
    assert len(stamps) == 1
    changed = in_tree({**files, "core/a/a.h": shared + "int More();\n"})
    list(tidy.check(changed, flags, 1))
    assert len(set((tree.root / "build" / "lint").glob("*.tidy"))) == 2
