# SPDX-License-Identifier: Apache-2.0
"""Functions are found where they are, and measured from their first line to their last."""
from __future__ import annotations

from typing import Callable

import pytest

from tools.lint import sizes
from tools.tree import Source, Tree

CPP = """\
#include <a.h>
#define LOOP(x) \\
  for (;;) {
namespace bess {
struct Options {
  int depth = 1;
  int Depth() const { return depth; }
};
enum class Kind : int { kA, kB };
constexpr int kTable[] = {f(1), 2};
template <typename T, class U = int>
class Thing final : public Base<T> {
 public:
  Thing()
      : a_(1) {
    if (a_) { Call("}"); }
  }
  ~Thing() = default;
  // A brace } in a comment.
  template <class F>
  struct Options Each(F f) const {
    for (char c : text_) { f(c, '{'); }
    return {};
  }
};
extern "C" {
int Plain(struct stat* s) {
  return 0;
}
}
TEST(A, B) {
  auto f = [](int x) { return x; };
  const char* raw = R"(
    {{{
  )";
}
}  // namespace bess
"""


def test_cpp_functions() -> None:
    found = [(x.line, x.lines) for x in sizes.functions(Source("a.cc", CPP))]
    assert found == [(7, 1), (14, 4), (20, 5), (27, 3), (31, 6)]


def test_python_functions() -> None:
    text = "class A:\n    def b(self):\n        def c():\n            pass\n        return c\n"
    assert sorted(sizes.functions(Source("a.py", text))) == [(2, 4), (3, 2)]


@pytest.mark.parametrize(
    "name,first,middle,last",
    [("a.cc", "int F() {", "  G();", "}"), ("a.py", "def f():", "    g()", "    h()")],
)
def test_long_function(
    make_tree: Callable[..., Tree], name: str, first: str, middle: str, last: str
) -> None:
    at_limit = "\n".join([first, *[middle] * 58, last]) + "\n"
    assert not list(sizes.check(make_tree({name: at_limit})))
    over = "\n".join([first, *[middle] * 59, last]) + "\n"
    findings = list(sizes.check(make_tree({name: "\n" + over})))
    assert [(x.path, x.line) for x in findings] == [(name, 2)]


def test_long_file(make_tree: Callable[..., Tree]) -> None:
    tree = make_tree({"a.h": "int a;\n" * 701, "b.h": "int b;\n" * 700, "c.md": "c\n" * 900})
    assert [x.path for x in sizes.check(tree)] == ["a.h"]


def test_summary(make_tree: Callable[..., Tree]) -> None:
    line = sizes.summary(make_tree({"a.cc": "int F() {\n}\n"}))
    assert line == ("1 files: p90 2, longest 2 lines; 1 functions: p90 2, p99 2, longest 2")
