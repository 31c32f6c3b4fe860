# SPDX-License-Identifier: Apache-2.0
"""What each module class declares of itself, read from its source and its proto.

A class says it all in one place: kInfo, the members Init and commands(), and the messages these
take. Whoever cannot find that here says so, rather than skip the class.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterator

from tools.tree import Source, Tree

LIMITS = {"kMaxGates": 8192, "kMaxWorkers": 64}
FIELD = re.compile(r"\s*((?:repeated|optional)\s+|)(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*\d+.*;")
TESTS = re.compile(r"_test(ing)?\.\w+$")
INFO = re.compile(r"ModuleInfo\s+kInfo\s*=?\s*\{(.*?)\};", re.S)


class Undeclared(Exception):
    """A module's source does not say what it should, or not in a form that is understood."""


@dataclass
class Message:
    """One message of a proto: what its comment says, and a row for each of its fields."""

    name: str
    text: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Declaration:
    """A module class: its gates, and the message that each of its commands takes, "" being Init."""

    folder: str
    path: str
    name: str
    igates: int
    ogates: int
    workers: int
    takes: dict[str, str]

    @property
    def commands(self) -> set[str]:
        """The names of its own commands; those that every class has are not among them."""
        return set(self.takes) - {""}


def folders(tree: Tree) -> list[str]:
    """The modules there are, one a folder."""
    return sorted({x.split("/")[1] for x in tree.names if re.match(r"modules/\w+/", x)})


def read(tree: Tree, folder: str) -> Declaration:
    """Reads the class of a folder; raises Undeclared."""
    sources = [x for x in tree.sources(".cc", ".h") if not TESTS.search(x.path)]
    own = [x for x in sources if x.path.startswith(f"modules/{folder}/")]
    core = [x for x in sources if x.path.startswith("core/") and x.suffix == ".h"]
    for source in own:
        info = INFO.search(source.text)
        if info:
            return _class(folder, source, info.group(1), "\n".join(x.text for x in [*own, *core]))
    raise Undeclared("no class here has a kInfo")


def _class(folder: str, source: Source, info: str, everything: str) -> Declaration:
    values = dict(re.findall(r"\.(\w+)\s*=\s*([^,\n]+)", info))
    if "name" not in values:
        raise Undeclared("kInfo has no name")

    def number(key: str, default: int) -> int:
        return _number(values[key], everything) if key in values else default

    return Declaration(
        folder,
        source.path,
        values["name"].strip('" '),
        number("igates", 1),
        number("ogates", 1),
        number("max_workers", LIMITS["kMaxWorkers"]),
        _takes(source.text),
    )


def _number(text: str, everything: str) -> int:
    """A sum of literals and constants."""
    return sum(_term(term.strip(), everything) for term in text.split("+"))


def _term(text: str, everything: str) -> int:
    if re.fullmatch(r"\d+|0x[0-9a-f]+", text):
        return int(text, 0)
    if text in LIMITS:
        return LIMITS[text]
    found = re.search(rf"\b{re.escape(text)}\s*=\s*([\w +]+);", everything)
    if not found or text in found.group(1):
        raise Undeclared(f"what {text} is cannot be told")
    return _number(found.group(1), everything)


def _takes(text: str) -> dict[str, str]:
    takes = {"": _argument("Init", text)}
    commands = re.search(r"\bcommands\(\)\s*\{(.*?)\n?\s*;\s*\}", text, re.S)
    for name, member in re.findall(
        r'\{\s*"(\w+)",\s*&\w+::(\w+)', commands.group(1) if commands else ""
    ):
        takes[name] = _argument(member, text)
    if commands and len(takes) == 1:
        raise Undeclared("commands() names no command")
    return takes


def _argument(member: str, text: str) -> str:
    found = re.search(rf"\b{member}\(\s*const\s+(?:bess::)?pb::(\w+)\s*&", text)
    if not found:
        raise Undeclared(f"the message that {member} takes cannot be told")
    return found.group(1)


def fields(message: str, messages_by_name: dict[str, Message]) -> set[str]:
    """The fields of a message and of the messages nested in it."""
    found = set()
    for name, known in messages_by_name.items():
        if name == message or name.startswith(f"{message}."):
            found |= {row[0] for row in known.rows}
    return found


def all_messages(tree: Tree) -> dict[str, Message]:
    """The messages of all modules, by name; nested ones by their full name."""
    protos = [x for x in tree.sources(".proto") if x.path.startswith("proto/modules/")]
    return {message.name: message for proto in protos for message in messages(proto)}


def proto_of(tree: Tree, declaration: Declaration) -> Source | None:
    """The file that has the message of the class's own argument or of one of its commands."""
    for proto in tree.sources(".proto"):
        if proto.path.startswith("proto/modules/"):
            names = {message.name for message in messages(proto)}
            if names & set(declaration.takes.values()):
                return proto
    return None


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
