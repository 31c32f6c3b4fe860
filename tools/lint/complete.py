# SPDX-License-Identifier: Apache-2.0
"""Modules are complete: code, unit test, data tests with packets that can be cut short, page, a
sample that runs, and for a lookup a differential test.

What is a lookup is not guessed: a class that clients can add entries to is in one of two tables.
"""
from __future__ import annotations

import re
from typing import Iterator

from tools import declaration
from tools.declaration import Declaration
from tools.tree import Finding, Tree

RULE = "complete"
FILES = ("{0}.cc", "{0}_test.cc", "{0}.pkt", "{0}.md")

# Folders of classes that look packets up in a table, and what an obvious slow way would be.
LOOKUPS = {
    "acl": "tries each rule",
    "arp_responder": "std::map",
    "bpf": "libpcap without its optimizer",
    "exact_match": "std::map",
    "ip_lookup": "a list of routes",
    "l2_forward": "std::map",
    "nat": "one list of flows",
    "wildcard_match": "tries each rule",
}

# Folders of classes with a command `add` that look nothing up.
NO_LOOKUPS = {
    "random_update": "fields to write, all of them into each packet",
    "rewrite": "templates, taken in turn",
    "update": "fields to write, all of them into each packet",
}

# How a differential test is known: by the name of its suite or its own.
DIFFERENTIAL = re.compile(r"^TEST\w*\(\s*\w*(?:, \w*)?(?:AgreesWith|EqualsA|Reference)", re.M)
ADDS = {"add", "set_default_gate"}


def check(tree: Tree) -> Iterator[Finding]:
    """Names what each module lacks."""
    samples = "\n".join(x.text for x in tree.sources(".bess") if x.path.startswith("sample_conf/"))
    for folder in declaration.folders(tree):
        for message in lacking(tree, folder, samples):
            yield Finding(f"modules/{folder}", 1, RULE, message)
    for folder in sorted({*LOOKUPS, *NO_LOOKUPS} - set(declaration.folders(tree))):
        yield Finding("tools/lint/complete.py", 1, RULE, f"there is no module {folder}")


def lacking(tree: Tree, folder: str, samples: str) -> Iterator[str]:
    """What one module lacks."""
    names = [f"modules/{folder}/{pattern.format(folder)}" for pattern in FILES]
    for name in names:
        if name not in tree.names:
            yield f"there is no {name}"
    try:
        declared = declaration.read(tree, folder)
    except declaration.Undeclared as error:
        yield str(error)
        return
    if names[1] in tree.names and not re.search(r"^TEST", text_of(tree, names[1]), re.M):
        yield f"{names[1]} has no test"
    if names[2] in tree.names:
        yield from packet_tests(text_of(tree, names[2]), declared)
    if not re.search(rf"\b{declared.name}\(", samples):
        yield f"no sample in sample_conf uses {declared.name}"
    yield from lookups(tree, declared)


def packet_tests(text: str, declared: Declaration) -> Iterator[str]:
    """Data tests exist, and some of them put packets in, which are then also cut at each length."""
    if not re.search(r"^test ", text, re.M):
        yield f"{declared.folder}.pkt has no test"
    if declared.igates and not re.search(r"^in ", text, re.M):
        yield f"{declared.folder}.pkt puts no packets in, so none are tried cut short"


def lookups(tree: Tree, declared: Declaration) -> Iterator[str]:
    """A lookup, or the table of core/match that it uses, has a differential test; whether it is a
    lookup has to be said.
    """
    folder = declared.folder
    if ADDS & declared.commands and folder not in LOOKUPS and folder not in NO_LOOKUPS:
        yield "it has entries: is it a lookup? Say so in tools/lint/complete.py"
    own = [x for x in tree.sources(".cc", ".h") if x.path.startswith(f"modules/{folder}/")]
    tables = {name for x in own for _, name in x.includes if name.startswith("core/match/")}
    tests = [x.text for x in own] + [text_of(tree, f"{name[:-2]}_test.cc") for name in tables]
    if folder in LOOKUPS and not any(DIFFERENTIAL.search(text) for text in tests):
        yield "a lookup needs a differential test: TEST(..., AgreesWith...)"


def text_of(tree: Tree, name: str) -> str:
    """The text of a file that is there."""
    return next((x.text for x in tree.texts if x.path == name), "")
