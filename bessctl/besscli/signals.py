# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGHUP: they break off a command as Ctrl-C does, so that it takes away what it made,
and end the shell behind it.
"""

import signal
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_received: list[int] = []


def heed() -> None:
    """Begins to listen. What whoever started this wants ignored, as nohup does, stays ignored."""
    for number in _ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def ending() -> int:
    """The exit status, as shells count signals, once the shell shall end; before that 0."""
    return 128 + _received[0] if _received else 0


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Interrupts once; what a command has made is then taken away without another interruption."""
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)
    _received.append(number)
    raise KeyboardInterrupt
