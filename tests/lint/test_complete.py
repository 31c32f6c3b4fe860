# SPDX-License-Identifier: Apache-2.0
"""A module that lacks something is found."""
from __future__ import annotations

from typing import Callable

import pytest

from modules import CLASS, COMPLETE
from tools.lint import complete
from tools.tree import Tree

MakeTree = Callable[..., Tree]


@pytest.fixture(autouse=True)
def only_acl(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of the real tree name modules that these trees do not have."""
    monkeypatch.setattr(complete, "LOOKUPS", {"acl": "tries each rule"})
    monkeypatch.setattr(complete, "NO_LOOKUPS", {})


def found(tree: Tree) -> list[str]:
    return [finding.message for finding in complete.check(tree)]


def test_a_complete_module(make_tree: MakeTree) -> None:
    assert not found(make_tree(COMPLETE))


@pytest.mark.parametrize("missing", ["acl_test.cc", "acl.pkt", "acl.md"])
def test_a_file_is_missing(make_tree: MakeTree, missing: str) -> None:
    files = {name: text for name, text in COMPLETE.items() if not name.endswith(f"/{missing}")}
    assert found(make_tree(files)) == [f"there is no modules/acl/{missing}"]


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("modules/acl/acl_test.cc", "// TEST\n", "modules/acl/acl_test.cc has no test"),
        ("modules/acl/acl.pkt", "# test\nin a 0\n", "acl.pkt has no test"),
        (
            "modules/acl/acl.pkt",
            "test one\nrefuse graph : no\n",
            "acl.pkt puts no packets in, so none are tried cut short",
        ),
        (
            "modules/acl/table_test.cc",
            "TEST(TableTest, Works) {}\n// AgreesWith\n",
            "a lookup needs a differential test: TEST(..., AgreesWith...)",
        ),
        ("sample_conf/a.bess", "MyACL() -> ACLs()\n", "no sample in sample_conf uses ACL"),
        ("modules/acl/acl.cc", "class ACL {};\n", "no class here has a kInfo"),
        ("core/packet/base.h", "extern int kBase;\n", "what kBase is cannot be told"),
        (
            "modules/acl/acl.cc",
            CLASS.replace("const pb::ACLArg&", "pb::ACLArg"),
            "the message that Init takes cannot be told",
        ),
        (
            "modules/acl/acl.cc",
            CLASS.replace('{"add"', "{kAdd").replace('{"get_rules"', "{kGet"),
            "commands() names no command",
        ),
    ],
)
def test_something_is_missing(make_tree: MakeTree, name: str, text: str, message: str) -> None:
    assert found(make_tree({**COMPLETE, name: text})) == [message]


def test_the_table_of_a_lookup_may_be_in_the_core(make_tree: MakeTree) -> None:
    files = {**COMPLETE, "modules/acl/table_test.cc": "TEST(TableTest, Works) {}\n"}
    files["core/match/keys_test.cc"] = "TEST(KeysTest, EqualsAMap) {}\n"
    assert len(found(make_tree(files))) == 1
    files["modules/acl/acl.cc"] = f'#include "core/match/keys.h"\n{CLASS}'
    assert not found(make_tree(files))


def test_a_source_takes_no_packets_in(make_tree: MakeTree) -> None:
    source = CLASS.replace(".igates = 2", ".igates = 0")
    packets = {"modules/acl/acl.pkt": "test one\nrun a\n", "modules/acl/acl.cc": source}
    assert not found(make_tree({**COMPLETE, **packets}))


def test_whether_it_is_a_lookup_has_to_be_said(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = make_tree({**COMPLETE, "modules/acl/table_test.cc": "TEST(TableTest, Works) {}\n"})
    monkeypatch.setattr(complete, "LOOKUPS", {})
    assert found(tree) == ["it has entries: is it a lookup? Say so in tools/lint/complete.py"]
    monkeypatch.setattr(complete, "NO_LOOKUPS", {"acl": "has none"})
    assert not found(tree)
    monkeypatch.setattr(complete, "NO_LOOKUPS", {"acl": "has none", "gone": "is gone"})
    assert found(tree) == ["there is no module gone"]
