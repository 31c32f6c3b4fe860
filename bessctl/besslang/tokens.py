# SPDX-License-Identifier: Apache-2.0
"""Cuts a .bess script into tokens: Python's, and `$`, `::`, `!` of the language itself."""

import re
from dataclasses import dataclass

from besslang.errors import ScriptError

_STRING_PREFIX = r"(?:[rbuf]|br|rb|fr|rf)?"
_PATTERNS = (
    ("space", r"[ \t\f]+|\\\r?\n"),
    ("comment", r"#[^\n]*"),
    ("string", rf"(?i:{_STRING_PREFIX})(?:'''(?:[^\\]|\\.)*?'''|" + r'"""(?:[^\\]|\\.)*?""")'),
    ("open_string", rf"(?i:{_STRING_PREFIX})(?:'''|\"\"\")"),
    ("string", rf"(?i:{_STRING_PREFIX})" + r"(?:'(?:[^\\\n']|\\.)*'|\"(?:[^\\\n\"]|\\.)*\")"),
    ("open_string", rf"(?i:{_STRING_PREFIX})" + r"['\"]"),
    (
        "number",
        r"(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?)",
    ),
    ("name", r"[^\W\d]\w*"),
    ("newline", r"\r?\n"),
    (
        "op",
        r"\*\*=|//=|>>=|<<=|\.\.\.|->|::|:=|\*\*|//|>>|<<|[-+*/%&|^@=!<>]=|[-+*/%&|^@=<>~.,:;()\[\]{}!$]",
    ),
)
_SCANNER = re.compile(
    "|".join(f"(?P<{kind}_{i}>{regex})" for i, (kind, regex) in enumerate(_PATTERNS)), re.DOTALL
)
_CLOSER = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    """A piece of the script: its kind, text, and where it lies (line from 1, column from 0, offset
    in the text).
    """

    kind: str
    text: str
    line: int
    column: int
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def tokenize(text: str, path: str) -> list[Token]:
    """All tokens except blanks and comments; newlines inside brackets are not tokens either."""
    tokens: list[Token] = []
    open_brackets: list[Token] = []
    line, line_start, offset = 1, 0, 0
    while offset < len(text):
        match = _SCANNER.match(text, offset)
        column = offset - line_start
        if match is None:
            raise ScriptError(path, line, column, f"{text[offset]!r} does not belong here", text)
        kind = str(match.lastgroup).rpartition("_")[0]
        token = Token(kind, match.group(), line, column, offset)
        if kind == "open_string":
            raise ScriptError(path, line, column, "this string is not closed", text)
        if kind == "op":
            _track_brackets(token, open_brackets, path, text)
        if kind not in ("space", "comment") and not (kind == "newline" and open_brackets):
            tokens.append(token)
        offset = match.end()
        newlines = token.text.count("\n")
        if newlines:
            line, line_start = line + newlines, token.offset + token.text.rindex("\n") + 1
    if open_brackets:
        last = open_brackets[-1]
        raise ScriptError(path, last.line, last.column, f"this '{last.text}' is not closed", text)
    tokens.append(Token("newline", "", line, offset - line_start, offset))
    return tokens


def variables(text: str, path: str) -> list[str]:
    """The variables a script reads: $NAME."""
    tokens = tokenize(text, path)
    return [name.text for mark, name in zip(tokens, tokens[1:]) if mark.text == "$"]


def _track_brackets(token: Token, opened: list[Token], path: str, text: str) -> None:
    if token.text in _CLOSER:
        opened.append(token)
    elif token.text in _CLOSER.values():
        if not opened or _CLOSER[opened[-1].text] != token.text:
            reason = f"'{token.text}' closes nothing"
            if opened:
                reason += (
                    f"; the bracket open here is the '{opened[-1].text}' of line {opened[-1].line}"
                )
            raise ScriptError(path, token.line, token.column, reason, text)
        opened.pop()
