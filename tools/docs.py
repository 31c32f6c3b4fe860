# SPDX-License-Identifier: Apache-2.0
"""`build.py docs`: the module reference, from each module's page and the comments of its proto.

It goes to build/docs and not into the tree: a module is one folder and one proto, and a reference
that had to be committed as well would be a third file, edited by everybody at the same time.
"""
from __future__ import annotations

import argparse
import re
from typing import Iterator

from tools import declaration, pages, shell
from tools.declaration import Message, messages
from tools.tree import Finding, Source, Tree

REFERENCE = shell.BUILD / "docs" / "modules.md"


def command(_: argparse.Namespace) -> int:
    """The subcommand."""
    tree = Tree(shell.ROOT)
    REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    REFERENCE.write_text(reference(tree), encoding="utf-8")
    shell.say(f"wrote {REFERENCE.relative_to(shell.ROOT)}")
    findings = list(check(tree))
    for finding in findings:
        shell.say(str(finding))
    return 1 if findings else 0


def check(tree: Tree) -> Iterator[Finding]:
    """Each module's page says what its class declares, and each message and field has a comment."""
    yield from pages.check(tree)
    for source in tree.sources(".proto"):
        if source.path.startswith("proto/modules/"):
            for message in messages(source):
                for name, _, text in [*message.rows, (message.name, "", message.text)]:
                    if not text:
                        yield Finding(
                            source.path, 1, "docs", f"{message.name}: {name} needs a comment"
                        )


def reference(tree: Tree) -> str:
    """Puts all pages one after the other, each followed by what its class declares and by its
    messages as tables.
    """
    parts = ["# Modules", "Each module class, what it is for, and what its messages mean."]
    for page in pages.all_pages(tree):
        parts.append(deepen(pages.body(page)))
        declared = declaration.read(tree, page.path.split("/")[1])
        proto = declaration.proto_of(tree, declared)
        parts.append(facts(declared))
        parts += [table(message) for message in (messages(proto) if proto else [])]
    return "\n\n".join(parts) + "\n"


def facts(declared: declaration.Declaration) -> str:
    """What no page needs to say, since the class says it."""
    rows = [("input gates", declared.igates), ("output gates", declared.ogates)]
    rows.append(("workers at most", declared.workers))
    lines = ["### Declared", "", "| | |", "|---|---|", *(f"| {what} | {n} |" for what, n in rows)]
    for command, message in sorted(declared.takes.items()):
        what = f"command `{command}` takes" if command else "argument"
        lines.append(f"| {what} | `{message}` |")
    return "\n".join(lines)


def deepen(page: str) -> str:
    """Makes a page's titles one level lower, and leaves alone what stands between ``` marks."""
    pieces = page.split("```")
    pieces[::2] = [re.sub(r"^#", "##", piece, flags=re.M) for piece in pieces[::2]]
    return "```".join(pieces)


def table(message: Message) -> str:
    """One message in Markdown."""
    lines = [f"### `{message.name}`", "", message.text]
    if message.rows:
        lines += ["", "| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | `{kind}` | {text} |" for name, kind, text in message.rows]
    return "\n".join(lines)
