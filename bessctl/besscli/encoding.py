# SPDX-License-Identifier: Apache-2.0
"""Output whose encoding lacks the lines of pictures: ASCII that looks alike takes their place, one
character for one, so that a picture keeps its shape.
"""

import codecs
import io
import sys

_SCHEME = "bessctl"
_ALIKE = {"─": "-", "│": "|", "▼": "v", "▲": "^", "▶": ">", "↺": "@", "±": "*", "…": "."}
_ALIKE |= dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰", "+")


def make_do() -> None:
    """Lets output use what its encoding has, and input be any bytes, as arguments may be."""
    codecs.register_error(_SCHEME, _look_alike)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_SCHEME)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def _look_alike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ALIKE.get(character, "?") for character in missing), error.end
