# SPDX-License-Identifier: Apache-2.0
"""Keys pressed while something else is on the screen."""

import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_keys() -> Iterator[None]:
    """Lets single keys through without Enter."""
    saved = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)


def key_within(seconds: float) -> bool:
    """Whether a key is pressed in this time, or the input ends; the key is taken."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    if readable:
        sys.stdin.read(1)
    return bool(readable)
