# SPDX-License-Identifier: Apache-2.0
"""Parses the .bess language: Python plus `name::Class(...)`, `a:1 -> 0:b` and `$NAME!default`.

The tokens of the language become Python ones, line by line; Python's own parser builds the tree,
and every position in it is mapped back, so that an error of any kind points at the token the
operator wrote.

    a:1 -> 0:b          becomes    a*1 + 0*b
    x,y::Class(k=1)     becomes    __bess_module__(('x', 'y'), 'Class', k=1)
    $NAME!'default'     becomes    __bess_env__('NAME', 'default')
"""

import ast
import keyword
from bisect import bisect_right
from dataclasses import dataclass, field
from types import CodeType

from besslang.errors import ScriptError
from besslang.tokens import Token, tokenize

_ASSIGNMENTS = {
    "=",
    "+=",
    "-=",
    "*=",
    "/=",
    "//=",
    "%=",
    "&=",
    "|=",
    "^=",
    "<<=",
    ">>=",
    "**=",
    "@=",
    ":=",
}
_BLOCK_STARTS = {
    "if",
    "elif",
    "else",
    "for",
    "while",
    "try",
    "except",
    "finally",
    "with",
    "def",
    "class",
    "async",
}
_VALUE_KEYWORDS = {"None", "True", "False"}
_OPEN, _CLOSE = set("([{"), set(")]}")


@dataclass
class _Edit:
    """Replaces text[start:end] by something else on the same line."""

    start: int
    end: int
    text: str


@dataclass
class _Bracket:
    """One level of nesting: the bracket that opened it and what its colons mean."""

    opener: str = ""
    is_subscript: bool = False
    lambdas: int = 0
    block_colon_due: bool = False
    is_def: bool = False
    operands: list[Token] = field(default_factory=list)
    colons: list[Token] = field(default_factory=list)
    arrows: list[Token] = field(default_factory=list)


class _Rewriter:
    """One pass over the tokens that collects the edits."""

    def __init__(self, text: str, path: str):
        self.text = text
        self.path = path
        self.tokens = tokenize(text, path)
        self.edits: list[_Edit] = []
        self._stack = [_Bracket()]
        self._statement_start = True

    def run(self) -> list[_Edit]:
        index = 0
        while index < len(self.tokens):
            index = self._step(index)
        return sorted(self.edits, key=lambda edit: (edit.start, edit.end))

    def _step(self, index: int) -> int:
        """Handles the token at an index and returns the index of the next one to handle."""
        token = self.tokens[index]
        if token.text == "$":
            return self._variable(index)
        if token.text == "!":
            raise self._error(token, "'!' gives a default only right after a $VARIABLE")
        if token.text == "::" and not self._top.is_subscript:
            return self._construct(index)
        if self._statement_start and token.kind == "name":
            self._top.block_colon_due = token.text in _BLOCK_STARTS
            self._top.is_def = token.text in ("def", "async")
        self._statement_start = False
        if token.text in _OPEN:
            self._open(index)
        elif token.text in _CLOSE:
            self._close(token)
        elif token.text == "->":
            self._arrow(token)
        elif token.text == ":":
            self._colon(token)
        elif self._separates(token):
            self._end_chain(token)
        else:
            self._top.operands.append(token)
        return index + 1

    @property
    def _top(self) -> _Bracket:
        return self._stack[-1]

    def _open(self, index: int) -> None:
        token, before = self.tokens[index], self.tokens[index - 1] if index else None
        self._top.operands.append(token)
        follows_value = before is not None and (
            before.kind == "string"
            or before.text in (")", "]")
            or (
                before.kind == "name"
                and (before.text in _VALUE_KEYWORDS or not keyword.iskeyword(before.text))
            )
        )
        self._stack.append(_Bracket(token.text, is_subscript=token.text == "[" and follows_value))

    def _close(self, token: Token) -> None:
        self._end_chain(token)
        self._stack.pop()
        self._top.operands.append(token)

    def _separates(self, token: Token) -> bool:
        """Whether no chain of modules goes on over this token."""
        if token.kind == "newline" or token.text in (",", ";") or token.text in _ASSIGNMENTS:
            return True
        return (
            token.kind == "name"
            and keyword.iskeyword(token.text)
            and token.text not in _VALUE_KEYWORDS
        )

    def _end_chain(self, token: Token) -> None:
        self._finish_chain(token)
        if token.text == "lambda":
            self._top.lambdas += 1
        if token.kind == "newline" or (token.text == ";" and len(self._stack) == 1):
            self._stack = [_Bracket()]
            self._statement_start = True

    def _colon(self, token: Token) -> None:
        """A colon that ends a header, a lambda's arguments, a key or a slice bound, or one that
        names a gate.
        """
        top = self._top
        if top.lambdas:
            top.lambdas -= 1
        elif top.block_colon_due:
            top.block_colon_due = top.is_def = False
            self._statement_start = True
        elif not (top.opener == "{" or top.is_subscript):
            top.colons.append(token)
            top.operands.append(token)
            return
        self._finish_chain(token)

    def _arrow(self, token: Token) -> None:
        if self._top.is_def:
            return
        if not self._top.operands:
            raise self._error(token, "'->' needs a module on its left")
        self._top.arrows.append(token)
        self._top.operands.append(token)

    def _finish_chain(self, at: Token) -> None:
        """Turns `a:1 -> 0:b` just read into `a*1 + 0*b`; without an arrow, colons keep Python's
        meaning.
        """
        top = self._top
        if top.arrows:
            if top.operands[-1] is top.arrows[-1]:
                raise self._error(top.arrows[-1], "'->' needs a module on its right")
            self._rewrite_parts(top)
            for arrow in top.arrows:
                self.edits.append(_Edit(arrow.offset, arrow.end, "+"))
        top.operands, top.colons, top.arrows = [], [], []

    def _rewrite_parts(self, chain: _Bracket) -> None:
        """Splits a chain at arrows and colons; each part that is an expression of its own gets
        parentheses.
        """
        parts: list[list[Token]] = [[]]
        per_hop = 1
        for token in chain.operands:
            is_colon = any(token is colon for colon in chain.colons)
            if not is_colon and not any(token is arrow for arrow in chain.arrows):
                parts[-1].append(token)
                continue
            if not parts[-1]:
                raise self._error(token, f"something is missing before this '{token.text}'")
            per_hop = per_hop + 1 if is_colon else 1
            if per_hop > 3:
                raise self._error(
                    token,
                    "a module in a chain has one input and one output gate: igate:module:ogate",
                )
            if is_colon:
                self.edits.append(_Edit(token.offset, token.end, "*"))
            parts.append([])
        if not parts[-1]:
            raise self._error(chain.operands[-1], "a gate or a module is missing after this ':'")
        for part in parts:
            if any(token.kind == "op" and token.text not in "().[]{}" for token in part):
                self.edits.append(_Edit(part[0].offset, part[0].offset, "("))
                self.edits.append(_Edit(part[-1].end, part[-1].end, ")"))

    def _variable(self, index: int) -> int:
        """`$NAME` and `$NAME!default`."""
        dollar, name = self.tokens[index], self.tokens[index + 1]
        if name.kind != "name" or name.offset != dollar.end:
            raise self._error(dollar, "'$' needs the name of a variable right after it")
        self._statement_start = False
        self._top.operands.append(name)
        bang = self.tokens[index + 2]
        if bang.text != "!":
            self.edits.append(_Edit(dollar.offset, name.end, f"__bess_env__('{name.text}')"))
            return index + 2
        self.edits.append(_Edit(dollar.offset, bang.end, f"__bess_env__('{name.text}', "))
        return self._default(index + 3, bang)

    def _default(self, index: int, bang: Token) -> int:
        """The expression after `!`: literals, a name, or something in parentheses."""
        first = last = self.tokens[index]
        if first.text == "(":
            index, last = self._parenthesised(index)
        elif first.kind == "string":
            while self.tokens[index].kind == "string":
                last = self.tokens[index]
                index += 1
        elif first.text == "-" and self.tokens[index + 1].kind == "number":
            last = self.tokens[index + 1]
            index += 2
        elif first.kind in ("name", "number"):
            index += 1
        else:
            raise self._error(
                bang, "'!' needs a default: a literal, a name or an expression in parentheses"
            )
        self.edits.append(_Edit(last.end, last.end, ")"))
        return index

    def _parenthesised(self, index: int) -> tuple[int, Token]:
        depth = len(self._stack)
        index = self._step(index)
        while len(self._stack) > depth:
            index = self._step(index)
        return index, self.tokens[index - 1]

    def _construct(self, index: int) -> int:
        """`name::Class(` and, at the start of a statement or hop, `a,b::Class(`."""
        colons, mclass, bracket = (
            self.tokens[index],
            self.tokens[index + 1],
            self.tokens[min(index + 2, len(self.tokens) - 1)],
        )
        names = self._names_before(index)
        if mclass.kind != "name" or bracket.text != "(":
            raise self._error(colons, "'::' needs a class and its arguments: name::Class(...)")
        quoted = ", ".join(f"'{token.text}'" for token in names)
        target = f"({quoted})" if len(names) > 1 else quoted
        self.edits.append(_Edit(names[0].offset, names[0].end, "__bess_module__("))
        self.edits.append(_Edit(names[0].end, bracket.end, f"{target}, '{mclass.text}', "))
        self._top.operands.append(mclass)
        self._open(index + 2)
        return index + 3

    def _names_before(self, index: int) -> list[Token]:
        """The names a `::` declares; several only where no comma can mean anything else."""
        names = [self.tokens[index - 1]] if index else []
        if not names or names[0].kind != "name" or keyword.iskeyword(names[0].text):
            raise self._error(
                self.tokens[index], "'::' needs the name of the new module on its left"
            )
        position = index - 2
        while not self._top.opener and position >= 1 and self.tokens[position].text == ",":
            before = self.tokens[position - 1]
            if before.kind != "name" or keyword.iskeyword(before.text):
                break
            names.insert(0, before)
            position -= 2
        if names[0].line != self.tokens[index].line:
            raise self._error(self.tokens[index], "the names before '::' must be on its line")
        return names

    def _error(self, token: Token, reason: str) -> ScriptError:
        return ScriptError(
            self.path, token.line, token.column, reason, self.text, token.column + len(token.text)
        )


class _PositionMap:
    """Columns of the rewritten lines to columns of the script."""

    def __init__(self, text: str, edits: list[_Edit]):
        self._starts: list[int] = []
        self._pieces: list[tuple[int, int, int]] = []
        output: list[str] = []
        position = length = 0
        for edit in edits:
            self._add(length, position, edit.start - position)
            output.append(text[position : edit.start])
            length += edit.start - position
            self._add(length, edit.start, 0)
            output.append(edit.text)
            length += len(edit.text)
            newlines = text[edit.start : edit.end].count("\n")
            output.append("\\\n" * newlines)
            length += 2 * newlines
            position = edit.end
        self._add(length, position, len(text) - position)
        output.append(text[position:])
        self.output = "".join(output)
        self._text_lines = _line_starts(text)
        self._output_lines = _line_starts(self.output)
        self._lines = self.output.split("\n")

    def _add(self, start: int, origin: int, length: int) -> None:
        self._starts.append(start)
        self._pieces.append((start, origin, length))

    def column(self, line: int, column: int) -> int:
        """The script's column (in characters) of a column of the rewritten text, on the same line."""
        if not 0 < line <= len(self._output_lines):
            return column
        offset = self._output_lines[line - 1] + column
        start, origin, length = self._pieces[bisect_right(self._starts, offset) - 1]
        mapped = origin + min(offset - start, length)
        return max(0, mapped - self._text_lines[line - 1])

    def byte_column(self, line: int, byte_column: int) -> int:
        """As column(), from a column counted in UTF-8 bytes, as in syntax trees."""
        if not 0 < line <= len(self._lines):
            return byte_column
        return self.column(
            line, len(self._lines[line - 1].encode()[:byte_column].decode(errors="ignore"))
        )


def to_python(text: str, path: str = "<script>") -> str:
    """The Python a script means, with the same lines."""
    return _PositionMap(text, _Rewriter(text, path).run()).output


def compile_script(text: str, path: str) -> CodeType:
    """Parses a script; positions in the code object are those of the script, columns in characters."""
    positions = _PositionMap(text, _Rewriter(text, path).run())
    try:
        code: CodeType = compile(_tree(positions, path), path, "exec")
        return code
    except SyntaxError as error:
        line = error.lineno or 1
        column = positions.column(line, max(0, (error.offset or 1) - 1))
        end = (
            positions.column(line, error.end_offset - 1)
            if error.end_offset and error.end_lineno == line
            else None
        )
        raise ScriptError(path, line, column, error.msg, text, end) from None
    except ValueError as error:
        raise ScriptError(path, 1, 0, str(error), text) from None
    except (MemoryError, RecursionError):
        raise ScriptError(path, 1, 0, "something here is nested too deeply", text) from None


def keyword_value(text: str, path: str, line: int, column: int, name: str) -> ast.expr | None:
    """What a call that begins here, in a script that compiles, gives to the keyword `name`."""
    tree = _tree(_PositionMap(text, _Rewriter(text, path).run()), path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (line, column):
            for keyword in node.keywords:
                if keyword.arg == name:
                    return keyword.value
    return None


def _tree(positions: _PositionMap, path: str) -> ast.Module:
    tree = ast.parse(positions.output, path)
    _relocate(tree, positions)
    return tree


def _relocate(tree: ast.AST, positions: _PositionMap) -> None:
    for node in ast.walk(tree):
        if isinstance(
            node, (ast.expr, ast.stmt, ast.keyword, ast.arg, ast.alias, ast.excepthandler)
        ):
            node.col_offset = positions.byte_column(node.lineno, node.col_offset)
            if node.end_lineno is not None and node.end_col_offset is not None:
                node.end_col_offset = positions.byte_column(node.end_lineno, node.end_col_offset)


def _line_starts(text: str) -> list[int]:
    return [0] + [index + 1 for index, character in enumerate(text) if character == "\n"]
