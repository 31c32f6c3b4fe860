# SPDX-License-Identifier: Apache-2.0
"""Each forbidden word is found, and what only resembles one is not."""
from __future__ import annotations

from typing import Callable

import pytest

from tools.lint import tokens
from tools.tree import Tree

FORBIDDEN = [
    "printf(text);",
    "std::snprintf(to, n, text);",
    "std::cout << 1;",
    "auto* x = new Thing;",
    "auto* x = new Thing();",
    "delete x;",
    "delete[] x;",
    "volatile int x;",
    "int x = std::stoi(text);",
    "auto* h = reinterpret_cast<Header*>(bytes);",
    "rte_panic(text);",
    "rte_exit(1, text);",
    "std::abort();",
    "using namespace std;",
    "throw 1;",
    "GTEST_SKIP();",
    "__builtin_prefetch(p);",
    "TEST(A, DISABLED_B) {}",
    "// TODO: later",
    "// FIXME",
    "// XXX",
    "// as in /home/me/notes",
]

ALLOWED = [
    "X(const X&) = delete;",
    "void* operator new(size_t n);",
    "void operator delete(void* p);",
    "auto x = absl::WrapUnique(new Thing(1));",
    "std::unique_ptr<Thing> x(new Thing);",
    "static Thing* const x = new Thing;",
    "new (place) Thing;",
    "#include <new>",
    "int new_plan = renew;",
    "// a new plan; delete the old one",
    'Log("printf(new)");',
    "auto a = reinterpret_cast<uintptr_t>(x);",
    "bind(fd, reinterpret_cast<const sockaddr*>(&a), n);",
    "auto path = /tmp/bess;",
    "char name[] = template_XXXXXX;",
]


@pytest.mark.parametrize("line", FORBIDDEN)
def test_forbidden(make_tree: Callable[..., Tree], line: str) -> None:
    findings = list(tokens.check(make_tree({"modules/a/a.cc": f"// first\n{line}\n"})))
    assert [(x.path, x.line) for x in findings] == [("modules/a/a.cc", 2)]


@pytest.mark.parametrize("line", ALLOWED)
def test_allowed(make_tree: Callable[..., Tree], line: str) -> None:
    assert not list(tokens.check(make_tree({"modules/a/a.cc": f"{line}\n"})))


def test_rooms_differ(make_tree: Callable[..., Tree]) -> None:
    line = "auto* h = reinterpret_cast<Header*>(bytes);\n"
    paths = ["core/packet/a.h", "modules/a/a.cc", "modules/a/a_test.cc", "core/port/a.cc"]
    findings = tokens.check(make_tree({path: line for path in paths}))
    assert [x.path for x in findings] == ["core/port/a.cc", "modules/a/a.cc"]


@pytest.mark.parametrize("name", ["a.py", "docs/a.md", "a.sh", "CMakeLists.txt"])
def test_text_of_all_files(make_tree: Callable[..., Tree], name: str) -> None:
    assert list(tokens.check(make_tree({name: "# FIXME\n"})))


def test_skipped_python_test(make_tree: Callable[..., Tree]) -> None:
    assert list(tokens.check(make_tree({"tests/a/test_a.py": "@pytest.mark.skip\n"})))
