# SPDX-License-Identifier: Apache-2.0
"""The pages of the modules: do they say what the classes declare, no less and no more?

A page names each argument and each command in `code`; the first column of its tables of arguments,
fields and commands names nothing else. Its first drawing shows the gates: `--> 0` or `ogate 0` is an
output gate, `0 -->` or `igate 0` an input gate.
"""
from __future__ import annotations

import re
from typing import Iterator

from tools import declaration
from tools.declaration import Declaration, Message
from tools.tree import Finding, Source, Tree

RULE = "docs"
# Of more gates than this a drawing shows some.
ALL_DRAWN = 8
EVERYWHERE = {"get_initial_arg", "get_runtime_config", "set_runtime_config"}

CODE = re.compile(r"`([^`\n]+)`")
ROW = re.compile(r"^\|([^|\n]*)\|.*$", re.M)
TABLE = re.compile(r"(?:^\|.*\n)+", re.M)
COMMAND = re.compile(r"(?:^- `(?=\w+\()|(?:[Tt]he command |^Commands?: )`)(\w+)", re.M)
OUTPUT = re.compile(r"(?:[-─]+[>▶]|[o]gate) ?(\d+)\b")
INPUT = re.compile(r"\b(\d+)\s*[-─]+[>▶]|\bigate (\d+)\b")


def all_pages(tree: Tree) -> list[Source]:
    """The pages of the modules, in the order of their names."""
    return [x for x in tree.sources(".md") if re.match(r"modules/(\w+)/\1\.md$", x.path)]


def body(page: Source) -> str:
    """A page without the licence tag in its first line."""
    return re.sub(r"^<!--.*?-->", "", page.text, flags=re.S).strip()


def check(tree: Tree) -> Iterator[Finding]:
    """Compares each page with the declaration of its class."""
    known = declaration.all_messages(tree)
    for page in all_pages(tree):
        try:
            declared = declaration.read(tree, page.path.split("/")[1])
        except declaration.Undeclared as error:
            yield Finding(page.path, 1, RULE, f"no page can be held against its class: {error}")
            continue
        for message in compare(body(page), declared, known):
            yield Finding(page.path, 1, RULE, message)


def compare(text: str, declared: Declaration, known: dict[str, Message]) -> Iterator[str]:
    """What a page says too little or too much."""
    if not re.match(rf"# {declared.name}\n", text):
        yield f"a module's page begins with: # {declared.name}"
    fields: set[str] = set()
    for message in declared.takes.values():
        fields |= declaration.fields(message, known)
    yield from missing_words(text, fields, declared.commands)
    mentioned = {
        x for m in known if m.startswith(declared.name) for x in declaration.fields(m, known)
    }
    yield from unknown_words(text, fields | mentioned, declared)
    yield from drawn_gates(text, declared)


def missing_words(text: str, fields: set[str], commands: set[str]) -> Iterator[str]:
    """What the class has and the page does not name."""
    words = {word for code in CODE.findall(text) for word in re.findall(r"\w+", code)}
    for kind, names in (("argument", fields), ("command", commands)):
        for name in sorted(names - words):
            yield f"the page does not name the {kind} `{name}`"


def unknown_words(text: str, fields: set[str], declared: Declaration) -> Iterator[str]:
    """What the page names and the class does not have."""
    for heading, cells in tables(text):
        for kind, names in (
            ("argument", fields),
            ("field", fields),
            ("command", declared.commands),
        ):
            if heading == kind:
                said = [
                    w
                    for cell in cells
                    for code in CODE.findall(cell)
                    for w in re.findall(r"[a-z_]\w*", code)
                ]
                for name in said:
                    if name not in names and name not in EVERYWHERE:
                        yield f"there is no {kind} `{name}`"
    for name in COMMAND.findall(text):
        if name not in declared.commands | EVERYWHERE:
            yield f"there is no command `{name}`"
    if re.search(r"[Tt]here are no commands", text) and declared.commands:
        yield "there are commands"


def tables(text: str) -> Iterator[tuple[str, list[str]]]:
    """The first column of each table: its heading, and its cells."""
    for table in TABLE.findall(text):
        heading, _, *cells = [cell.strip() for cell in ROW.findall(table)]
        yield heading.split(",")[0], cells


def drawn_gates(text: str, declared: Declaration) -> Iterator[str]:
    """Gates that the first drawing has too many or too few of."""
    drawing = re.search(r"```\n(.*?)```", text, re.S)
    if not drawing:
        yield "the page has no drawing"
        return
    numbers = {
        "output": ({int(n) for n in OUTPUT.findall(drawing.group(1))}, declared.ogates, 1),
        "input": ({int(a or b) for a, b in INPUT.findall(drawing.group(1))}, declared.igates, 2),
    }
    for kind, (drawn, there, named_from) in numbers.items():
        for gate in sorted(drawn):
            if gate >= there:
                yield f"the drawing has {kind} gate {gate}; the class has {there}"
        if named_from <= there <= ALL_DRAWN:
            for gate in sorted(set(range(there)) - drawn):
                yield f"the drawing has no {kind} gate {gate}"
