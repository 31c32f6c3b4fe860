# SPDX-License-Identifier: Apache-2.0
"""Values an operator writes on a line (`size=3, fields=[{'offset': 0}]`), and numbers as an
operator reads them.
"""

import ast
from typing import Any

from besscli.errors import CommandError


def keyword_values(text: str) -> dict[str, Any]:
    """Reads `a=1, b='x' c=y`: Python literals; a bare word means itself."""
    values: dict[str, Any] = {}
    for piece in _pieces(text):
        key, equals, value = piece.partition("=")
        if not equals or not key.strip().isidentifier():
            raise CommandError(f"'{piece}' is no argument; write NAME=VALUE")
        values[key.strip()] = _literal(value.strip())
    return values


def environment(text: str) -> dict[str, str]:
    """Reads the variables of a script: `A=1,B=2`."""
    return {key: str(value) for key, value in keyword_values(text).items()}


def whole_number(what: str, text: str) -> int:
    """Reads a number; `what` says in the error what was meant: "a gate"."""
    try:
        return int(text, 0)
    except ValueError:
        raise CommandError(f"{what} is a number, not '{text}'") from None


def _pieces(text: str) -> list[str]:
    """Splits at commas and blanks that are in no bracket and no string, keeping blanks around `=`
    out of it.
    """
    pieces, current, depth, quote = [], "", 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote and not current.endswith("\\") else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if character in ", \t" and not quote and depth == 0:
            pieces.append(current)
            current = ""
        else:
            current += character
    if quote or depth:
        raise CommandError(f"'{text}' has a bracket or a quote that is not closed")
    return [piece for piece in [*pieces, current] if piece]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text[:1] in ("[", "{", "(", "'", '"'):
            raise CommandError(f"'{text}' is no value; write it as Python would") from None
        return text


def count(number: float) -> str:
    """A count or rate in at most six characters: 999999, 1.235M, 12.3G."""
    if number < 1e6:
        return str(int(number)) if number == int(number) or number >= 100 else f"{number:.1f}"
    for unit in "MGTPE":
        number /= 1e3 if unit != "M" else 1e6
        if number < 999.5 or unit == "E":
            break
    digits = 3 if number < 10 else 2 if number < 100 else 1
    return f"{number:.{digits}f}{unit}"
