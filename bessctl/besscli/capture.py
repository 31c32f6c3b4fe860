# SPDX-License-Identifier: Apache-2.0
"""`tcpdump` and `tshark`: packets of a gate, shown by a program that runs here.

A gate hook of the daemon copies packets to a FIFO, which is the program's standard input. Only the
daemon's user can open the FIFO, and it is gone when the program ends, as the hook is. If this shell
is killed, the kernel ends the program, and the daemon takes off a hook that has lost its reader.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from pybess.errors import Error, RPCError

from besscli.errors import CommandError
from besscli.shell import Shell, command
from besscli.values import whole_number

END_SECONDS = 3.0
# tshark shows the metadata that the PcapNg hook puts into the comment of each packet.
_TSHARK = ["tshark", "-l", "-z", "proto,colinfo,frame.comment,frame.comment", "-r", "-"]
_TCPDUMP = ["tcpdump", "-l", "-r", "-"]
_UNTIL_THIS_ENDS = ["setpriv", "--pdeathsig", "TERM", "--"]

Capture = Callable[..., Any]


@command(
    "tcpdump MODULE [in|out] [GATE] [ARGS]",
    "shows the packets of a gate (0 if none is named) with tcpdump; ARGS are tcpdump's: -n -c 5",
)
def tcpdump(
    shell: Shell, module: str, direction: str | None, gate: str | None, options: str
) -> None:
    _capture(
        shell, shell.daemon().tcpdump_gate, [*_TCPDUMP, *options.split()], module, direction, gate
    )


@command(
    "tshark MODULE [in|out] [GATE] [ARGS]",
    "shows the packets of a gate, and their metadata, with tshark; ARGS are tshark's: -V -c 5",
)
def tshark(
    shell: Shell, module: str, direction: str | None, gate: str | None, options: str
) -> None:
    _capture(
        shell, shell.daemon().pcapng_gate, [*_TSHARK, *options.split()], module, direction, gate
    )


def _capture(
    shell: Shell,
    configure: Capture,
    program: list[str],
    module: str,
    direction: str | None,
    gate: str | None,
) -> None:
    if not shutil.which(program[0]):
        raise CommandError(f"{program[0]} is not installed here; Debian's package has its name")
    place: dict[str, Any] = {"m": module, "direction": direction or "out"}
    place["gate"] = whole_number("a gate", gate or "0")
    interrupted = False
    child: subprocess.Popen[bytes] | None = None  # and so if interrupted while it is started
    with _fifo(_owner(str(shell.client.address))) as (path, packets):
        name = configure(True, None, fifo=path, **place).name
        try:
            os.set_blocking(packets.fileno(), True)
            # Ctrl-C ends its packets, and so the program: it gets no signal that breaks off a read.
            command = [*_UNTIL_THIS_ENDS, *program]
            child = subprocess.Popen(command, stdin=packets, process_group=0)
            packets.close()
            child.wait()
        except KeyboardInterrupt:
            interrupted = True
        finally:
            _stop(configure, name, place)
        status = _end(child) if child else 0
    if status and not interrupted:
        raise CommandError(f"{program[0]} ended with status {status}")
    if interrupted:
        shell.say("")


def _owner(address: str) -> int:
    """Whose the daemon is: this user's, unless root asks somebody else's."""
    path = address.removeprefix("unix:")
    return os.stat(path).st_uid if os.path.exists(path) else os.geteuid()


@contextlib.contextmanager
def _fifo(owner: int) -> Iterator[tuple[str, IO[bytes]]]:
    """A FIFO in a directory of its own, and its reading end, which is there before any writer."""
    with tempfile.TemporaryDirectory(prefix="bessctl-") as directory:
        path = os.path.join(directory, "packets")
        os.mkfifo(path, 0o600)
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as packets:
            for given in (path, directory) if owner != os.geteuid() else ():
                os.chown(given, owner, -1)
            yield path, packets


def _stop(configure: Capture, name: str, place: dict[str, Any]) -> None:
    """Takes the hook off. It may be gone: with its reader, its module or the daemon."""
    with contextlib.suppress(Error, RPCError):
        configure(False, name, **place)


def _end(child: subprocess.Popen[bytes]) -> int:
    """Waits for a program whose packets have ended."""
    try:
        return child.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        child.terminate()
        return child.wait()
