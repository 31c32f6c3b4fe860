# SPDX-License-Identifier: Apache-2.0
"""Reads .pkt files: packet tests as data. README.md describes the format.

What is read here is the shape of a case; expressions stay text until the case runs.
"""
from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

LICENCE = "# SPDX-License-Identifier: Apache-2.0"


class PacketFileError(Exception):
    """What is wrong with a file, and in which line."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{shown(path)}:{line}: {reason}")
        self.reason = reason


@dataclass
class Expression:
    """Python text and the line it begins in."""

    text: str
    line: int


@dataclass
class Step:
    """One step: what to do, where, and with what. `kind` is in, out, run, command, refuse or tick."""

    kind: str
    line: int
    name: str = ""
    gate: int = 0
    at_port: bool = False
    body: list[Expression] = field(default_factory=list)
    count: int | None = None  # how often to run, or how many packets `any` expects
    command: str = ""
    arguments: str = ""
    refusal: str = ""
    seconds: float = 0


@dataclass
class Drop:
    """So many drops of one module for one reason, in the whole case."""

    module: str
    reason: str
    count: int
    line: int


@dataclass
class Case:
    """One `test` of a file."""

    path: Path
    line: int
    name: str
    ports: dict[str, int] = field(default_factory=dict)
    graph: Expression | None = None
    graph_refusal: str = ""
    steps: list[Step] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)

    def error(self, line: int, reason: str) -> PacketFileError:
        """The error at a line of the file this case is from."""
        return PacketFileError(self.path, line, reason)


def shown(path: Path) -> str:
    """A path as people write it: from the root of the repository if it is in there."""
    root = Path(__file__).resolve().parents[2]
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def read(path: Path) -> list[Case]:
    """The cases of a file; raises PacketFileError."""
    return _Reader(path, path.read_text(encoding="utf-8")).cases()


@dataclass
class _Line:
    """A line at the margin and the indented lines below it, comments and blank lines left out."""

    number: int
    text: str
    body: list[tuple[int, str]] = field(default_factory=list)


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def cases(self) -> list[Case]:
        if self.lines[:1] != [LICENCE]:
            raise self.error(1, f"the first line has to be: {LICENCE}")
        if not re.match(r"#\s*\S", "".join(self.lines[1:2])):
            raise self.error(2, "the second line has to be a comment: what does this file show?")
        cases: list[Case] = []
        for line in self.blocks():
            word = line.text.split()[0]
            if word == "test":
                cases.append(self.start(line, cases))
            elif not cases:
                raise self.error(line.number, f"'{word}' before the first 'test'")
            else:
                self.add(cases[-1], word, line)
        for case in cases:
            if case.graph is None:
                raise self.error(case.line, f"test '{case.name}' has no graph")
        if not cases:
            raise self.error(1, "there is no test in this file")
        return cases

    def error(self, line: int, reason: str) -> PacketFileError:
        return PacketFileError(self.path, line, reason)

    def blocks(self) -> list[_Line]:
        blocks: list[_Line] = []
        for number, text in enumerate(self.lines, 1):
            if not text.strip() or text.lstrip().startswith("#"):
                continue
            if not text[0].isspace():
                blocks.append(_Line(number, _without_comment(text)))
            elif blocks:
                blocks[-1].body.append((number, text.rstrip()))
            else:
                raise self.error(number, "an indented line belongs below a step")
        return blocks

    def start(self, line: _Line, cases: list[Case]) -> Case:
        name = line.text[len("test") :].strip()
        if not name:
            raise self.error(line.number, "a test needs a name")
        for other in cases:
            if other.name == name:
                raise self.error(line.number, f"line {other.line} has a test '{name}' already")
        self.no_body(line)
        return Case(self.path, line.number, name)

    def add(self, case: Case, word: str, line: _Line) -> None:
        """Puts one line and what is below it into a case."""
        rest = line.text[len(word) :].strip()
        if word == "graph" and not rest:
            self.set_graph(case, line, "")
        elif word == "refuse" and (match := re.fullmatch(r"graph\s*:\s*(.+)", rest)):
            self.set_graph(case, line, match.group(1))
        elif word == "port":
            self.add_port(case, line, rest)
        elif word == "drop":
            self.add_drop(case, line, rest)
        elif word in _STEPS:
            if case.graph is None:
                raise self.error(line.number, f"'{word}' before the graph")
            if case.graph_refusal:
                raise self.error(line.number, "a case whose graph is refused has no steps")
            case.steps.append(getattr(self, f"step_{word}")(line, rest))
        else:
            known = ", ".join(("test", "graph", "port", "drop", *_STEPS))
            raise self.error(line.number, f"no step is called '{word}'; there are: {known}")

    def set_graph(self, case: Case, line: _Line, refusal: str) -> None:
        if case.graph is not None:
            raise self.error(line.number, f"the graph is in line {case.graph.line - 1} already")
        if not line.body:
            raise self.error(line.number, "the graph is missing: .bess language, indented, below")
        first, last = line.body[0][0], line.body[-1][0]
        # Comments and blank lines stay, so that line numbers stay.
        text = textwrap.dedent("\n".join(self.lines[first - 1 : last]))
        case.graph, case.graph_refusal = Expression(text + "\n", first), refusal

    def add_port(self, case: Case, line: _Line, rest: str) -> None:
        match = re.fullmatch(r"(\S+)(?:\s+(\d+))?", rest)
        if not match:
            raise self.error(line.number, "write: port NAME [QUEUES]")
        name, queues = match.group(1), int(match.group(2) or 1)
        if case.graph is not None:
            raise self.error(line.number, "ports come before the graph")
        if name in case.ports or not 1 <= queues <= 128:
            reason = "has 1..128 queues" if name not in case.ports else "is there already"
            raise self.error(line.number, f"port '{name}' {reason}")
        self.no_body(line)
        case.ports[name] = queues

    def add_drop(self, case: Case, line: _Line, rest: str) -> None:
        match = re.fullmatch(r"(\S+)\s+([a-z_]+)\s+(\d+)", rest)
        if not match:
            raise self.error(line.number, "write: drop MODULE REASON N")
        drop = Drop(match.group(1), match.group(2), int(match.group(3)), line.number)
        for other in case.drops:
            if (other.module, other.reason) == (drop.module, drop.reason):
                reason = f"line {other.line} counts these already: N is that of the whole case"
                raise self.error(line.number, reason)
        self.no_body(line)
        case.drops.append(drop)

    def step_in(self, line: _Line, rest: str) -> Step:
        step = self.place(line, rest, "in")
        if not step.body:
            raise self.error(line.number, "the packets are missing: expressions, indented, below")
        return step

    def step_out(self, line: _Line, rest: str) -> Step:
        match = re.fullmatch(r"(.*\S)\s+any\s+(\d+)", rest)
        step = self.place(line, match.group(1) if match else rest, "out")
        if match:
            self.no_body(line)
            step.count = int(match.group(2))
        return step

    def place(self, line: _Line, rest: str, kind: str) -> Step:
        match = re.fullmatch(r"(?:(port)\s+)?(\S+)\s+(\d+)", rest)
        if not match:
            gate = "IGATE" if kind == "in" else "OGATE"
            reason = f"write: {kind} MODULE {gate}   or   {kind} port NAME QUEUE"
            raise self.error(line.number, reason)
        step = Step(kind, line.number, match.group(2), int(match.group(3)))
        step.at_port = bool(match.group(1))
        step.body = self.expressions(line)
        return step

    def expressions(self, line: _Line) -> list[Expression]:
        """One a line, but what has an open bracket goes on in the next."""
        found: list[Expression] = []
        text, start = "", 0
        for number, more in line.body:
            start = start if text else number
            text = f"{text}\n{more.strip()}".strip()
            try:
                ast.parse(text, mode="eval")
            except SyntaxError as error:
                if "was never closed" not in error.msg:
                    raise self.error(number, f"not a Python expression: {error.msg}") from None
                continue
            found.append(Expression(text, start))
            text = ""
        if text:
            raise self.error(start, "a bracket is opened here and never closed")
        return found

    def step_run(self, line: _Line, rest: str) -> Step:
        match = re.fullmatch(r"(\S+)(?:\s+(\d+))?", rest)
        if not match:
            raise self.error(line.number, "write: run MODULE [TIMES]")
        self.no_body(line)
        return Step("run", line.number, match.group(1), count=int(match.group(2) or 1))

    def step_tick(self, line: _Line, rest: str) -> Step:
        if not re.fullmatch(r"\d+(\.\d*)?|\.\d+|\d+e-\d+", rest):
            raise self.error(line.number, "write: tick SECONDS")
        self.no_body(line)
        return Step("tick", line.number, seconds=float(rest))

    def step_command(self, line: _Line, rest: str) -> Step:
        return self.call(line, rest, "command", "")

    def step_refuse(self, line: _Line, rest: str) -> Step:
        """The text is behind the first colon before which the call is whole."""
        module, _, call = rest.partition(" ")
        for match in re.finditer(r"\)\s*:\s*(?=\S)", call):
            whole = call[: match.start() + 1].strip()
            if _is_call(whole):
                return self.call(line, f"{module} {whole}", "refuse", call[match.end() :])
        raise self.error(line.number, "write: refuse MODULE CMD(key=value, ...) : TEXT")

    def call(self, line: _Line, rest: str, kind: str, refusal: str) -> Step:
        match = re.fullmatch(r"(\S+)\s+(\w+)\s*\((.*)\)", rest)
        if not match or not _is_call(rest.split(maxsplit=1)[1]):
            raise self.error(line.number, f"write: {kind} MODULE CMD(key=value, ...)")
        self.no_body(line)
        name, command, arguments = match.groups()
        step = Step(kind, line.number, name, command=command, arguments=arguments)
        step.refusal = refusal.strip()
        return step

    def no_body(self, line: _Line) -> None:
        if line.body:
            word = line.text.split()[0]
            raise self.error(line.body[0][0], f"nothing is indented below '{word}'")


_STEPS = ("in", "run", "command", "refuse", "tick", "out")


def _without_comment(text: str) -> str:
    """A comment may end a line, but not where a # may mean something else."""
    if text.split()[0] in ("command", "refuse", "test"):
        return text.rstrip()
    return re.sub(r"\s+#.*", "", text).rstrip()


def _is_call(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.Call)
    except SyntaxError:
        return False
