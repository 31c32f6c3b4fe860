# SPDX-License-Identifier: Apache-2.0
"""Starts bessd in the background and waits until it says it is ready; ends one and waits until it is
gone.
"""

import os
import select
import shutil
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pybess.address import normalize, runtime_dir

from besscli.errors import CommandError

BUILT = Path(__file__).resolve().parents[2] / "build" / "bessd"
READY = "ready "
READY_SECONDS = 30
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
_LAST_LINES = 8


@dataclass
class Started:
    """A daemon that is ready."""

    pid: int
    address: str
    log: Path


def start(options: list[str]) -> Started:
    """Starts bessd with options; its output goes to a log file that outlives this shell."""
    binary = find_daemon()
    log = _log_file()
    with open(log, "ab") as output:
        said_before = output.tell()
        process = subprocess.Popen(
            [binary, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while True:
        status = process.poll()
        said = _read_from(log, said_before)
        ready = next((line for line in said if line.startswith(READY)), None)
        if ready is not None:
            return Started(process.pid, _address(ready), log)
        if status is not None:
            raise CommandError(
                f"bessd ended with status {status} before it was ready:\n{_last(said)}"
            )
        if time.monotonic() > deadline:
            process.terminate()
            raise CommandError(
                f"bessd was not ready after {READY_SECONDS} s and was ended:\n{_last(said)}"
            )
        time.sleep(POLL_SECONDS)


def stop(client: Any) -> None:
    """Ends the daemon and waits until its process is gone: so long it holds locks that the next one
    needs. A daemon behind TCP has no process here that could be waited for.
    """
    process = _process(client.address)
    try:
        client.kill()
        if process is not None and not select.select([process], [], [], STOP_SECONDS)[0]:
            raise CommandError(f"bessd answers no more, but still runs after {STOP_SECONDS:g} s")
    finally:
        if process is not None:
            os.close(process)


def _process(address: str) -> int | None:
    """A descriptor of the process that listens on a Unix socket, readable once it has ended."""
    if not address.startswith("unix:"):
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address.removeprefix("unix:"))
            credentials = connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
            )
            return os.pidfd_open(struct.unpack("3i", credentials)[0])
        except OSError:  # it has ended already, or runs where its processes cannot be seen from
            return None


def find_daemon() -> str:
    """The bessd that $BESSD names, else the one of this clone, else the one on PATH."""
    named = os.environ.get("BESSD")
    if named:
        return named
    if os.access(BUILT, os.X_OK):
        return str(BUILT)
    found = shutil.which("bessd")
    if not found:
        raise CommandError(
            f"there is no bessd: neither {BUILT} (`./build.py build` makes it) nor one on PATH"
        )
    return found


def _log_file() -> Path:
    directory = Path(runtime_dir())
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"the log cannot be kept in {directory}: {error.strerror}") from error
    return directory / "bessd.log"


def _read_from(log: Path, offset: int) -> list[str]:
    """The whole lines a log has got since an offset."""
    with open(log, "rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    return text.split("\n")[:-1]


def _address(ready: str) -> str:
    """Where the daemon listens: the first address in its ready line."""
    return normalize(ready.split()[1])


def _last(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:]) or "    (it said nothing)"
