# SPDX-License-Identifier: Apache-2.0
"""Pages that say something else than their class are found, as are messages without comments."""
from __future__ import annotations

from typing import Callable

import pytest

from modules import CLASS, COMPLETE, PAGE, PROTO
from tools import docs
from tools.tree import Tree

MakeTree = Callable[..., Tree]


def found(tree: Tree) -> list[str]:
    return [finding.message for finding in docs.check(tree)]


def test_a_page_that_is_right(make_tree: MakeTree) -> None:
    assert not found(make_tree(COMPLETE))


@pytest.mark.parametrize(
    "was, now, message",
    [
        ("# ACL", "# Acl", "a module's page begins with: # ACL"),
        ("| `rules[].port` | a port |\n", "", "the page does not name the argument `port`"),
        ("| `add` | nothing |\n", "", "the page does not name the command `add`"),
        ("| `rules` |", "| `rules`, `order` |", "there is no argument `order`"),
        ("| `add` |", "| `add`, `remove` |", "there is no command `remove`"),
        ("| command |", "- `clear()` removes all\n\n| command |", "there is no command `clear`"),
        ("| command |", "The command `set` sets.\n\n| command |", "there is no command `set`"),
        ("| command |", "There are no commands.\n\n| command |", "there are commands"),
        ("--> ogate 1", "-->", "the drawing has no output gate 1"),
        ("igate 1 -->", "      -->", "the drawing has no input gate 1"),
        ("--> ogate 1", "--> 1, --> 2", "the drawing has output gate 2; the class has 2"),
        ("igate 1 -->", "1 --> 2 -->", "the drawing has input gate 2; the class has 2"),
        ("```", "", "the page has no drawing"),
    ],
)
def test_a_stale_page(make_tree: MakeTree, was: str, now: str, message: str) -> None:
    assert was in PAGE
    tree = make_tree({**COMPLETE, "modules/acl/acl.md": PAGE.replace(was, now)})
    assert message in found(tree)


@pytest.mark.parametrize(
    "was, now, message",
    [
        (
            '{"add", &ACL::Add}',
            '{"add", &ACL::Add}, {"clear", &ACL::Add}',
            "the page does not name the command `clear`",
        ),
        ('{"add", &ACL::Add}, ', "", "there is no command `add`"),
        (".ogates = kOutputGates", ".ogates = 3", "the drawing has no output gate 2"),
        (".igates = 2", ".igates = 1", "the drawing has input gate 1; the class has 1"),
        ("kInfo", "kInfos", "no page can be held against its class: no class here has a kInfo"),
    ],
)
def test_a_class_that_moved_on(make_tree: MakeTree, was: str, now: str, message: str) -> None:
    assert was in CLASS
    tree = make_tree({**COMPLETE, "modules/acl/acl.cc": CLASS.replace(was, now)})
    assert message in found(tree)


def test_a_field_that_is_new_or_gone(make_tree: MakeTree) -> None:
    new = PROTO.replace("  // In order.", "  // How.\n  string mode = 2;\n  // In order.")
    tree = make_tree({**COMPLETE, "proto/modules/acl.proto": new})
    assert found(tree) == ["the page does not name the argument `mode`"]
    gone = PROTO.replace("    // Of the packet.\n    uint32 port = 1;\n", "")
    tree = make_tree({**COMPLETE, "proto/modules/acl.proto": gone})
    assert found(tree) == ["there is no argument `port`"]


def test_fields_without_comments(make_tree: MakeTree) -> None:
    proto = "// The argument.\nmessage AArg {\n  int32 x = 1;\n  // Why.\n  int32 y = 2;\n}\n"
    assert found(make_tree({"proto/modules/a.proto": proto})) == ["AArg: x needs a comment"]
