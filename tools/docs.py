# SPDX-License-Identifier: Apache-2.0
"""`build.py docs`: the module reference, from each module's page and the comments of its proto.

It goes to build/docs and not into the tree: a module is one folder and one proto, and a reference
that had to be committed as well would be a third file, edited by everybody at the same time.
"""
from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from typing import Iterator

from tools import shell
from tools.tree import Finding, Source, Tree

REFERENCE = shell.BUILD / "docs" / "modules.md"
FIELD = re.compile(r"\s*((?:repeated|optional)\s+|)(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*\d+.*;")


@dataclass
class Message:
    """One message of a proto: what its comment says, and a row for each of its fields."""

    name: str
    text: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)


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
    """Each module's page has a title, and each message and field of its proto a comment."""
    for page in pages(tree):
        if not body(page).startswith("# "):
            yield Finding(page.path, 1, "docs", "a module's page begins with: # its class's name")
    for source in tree.sources(".proto"):
        if source.path.startswith("proto/modules/"):
            for message in messages(source):
                for name, _, text in [*message.rows, (message.name, "", message.text)]:
                    if not text:
                        yield Finding(
                            source.path, 1, "docs", f"{message.name}: {name} needs a comment"
                        )


def pages(tree: Tree) -> list[Source]:
    """The pages of the modules, in the order of their names."""
    return [x for x in tree.sources(".md") if re.match(r"modules/(\w+)/\1\.md$", x.path)]


def reference(tree: Tree) -> str:
    """Puts all pages one after the other, each followed by its messages as tables."""
    protos = {x.path: x for x in tree.sources(".proto")}
    parts = ["# Modules", "Each module class, what it is for, and what its messages mean."]
    for page in pages(tree):
        parts.append(deepen(body(page)))
        proto = protos.get(f"proto/modules/{page.path.split('/')[1]}.proto")
        parts += [table(message) for message in (messages(proto) if proto else [])]
    return "\n\n".join(parts) + "\n"


def body(page: Source) -> str:
    """A page without the licence tag in its first line."""
    return re.sub(r"^<!--.*?-->", "", page.text, flags=re.S).strip()


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


def messages(proto: Source) -> Iterator[Message]:
    """Reads the messages of one proto; nested ones follow the one they are in, named in full.

    A oneof's fields count as the message's own; a comment after a field counts as before it.
    """
    comment: list[str] = []
    blocks: list[Message | None] = []
    found: list[Message] = []
    for line in proto.lines:
        code, _, note = line.partition("//")
        if not code.strip():
            comment = [*comment, note.strip()] if note else []
            continue
        text = " ".join([*comment, note.strip()]).strip()
        comment = []
        opened = re.match(r"\s*(message|oneof|enum|service)\s+(\w+)\s*\{", code)
        if opened:
            blocks.append(open_block(opened, blocks, text))
            found += [blocks[-1]] if opened.group(1) == "message" and blocks[-1] else []
        elif blocks and blocks[-1] and FIELD.match(code):
            label, kind, name = FIELD.match(code).groups()  # type: ignore[union-attr]
            blocks[-1].rows.append((name, f"{label.strip()} {kind}".strip(), text))
        if code.count("}") and blocks:
            blocks.pop()
    yield from found


def open_block(opened: re.Match[str], blocks: list[Message | None], text: str) -> Message | None:
    """What an opening brace begins: a message of its own, the same one (oneof), or nothing."""
    kind, name = opened.groups()
    around = blocks[-1] if blocks else None
    if kind == "message":
        return Message(f"{around.name}.{name}" if around else name, text)
    return around if kind == "oneof" else None
