# SPDX-License-Identifier: Apache-2.0
"""Starts bessd in the background and waits until it says it is ready."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from pybess.address import default_socket, normalize, runtime_dir
from pybess.errors import APIError

from besscli.errors import CommandError

BUILT = Path(__file__).resolve().parents[2] / "build" / "bessd"
READY = "ready"
READY_SECONDS = 30
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
            return Started(process.pid, _address(ready, options), log)
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


def _address(ready: str, options: list[str]) -> str:
    """Where the daemon listens: the first address in its ready line, else its --grpc_url or -p,
    else the default.
    """
    for word in ready.replace(",", " ").split()[1:]:
        try:
            if ":" in word:
                return normalize(word)
        except APIError:
            continue
    for index, option in enumerate(options):
        name, _, value = option.lstrip("-").partition("=")
        if name in ("grpc_url", "p"):
            return normalize(value or (options[index + 1] if index + 1 < len(options) else ""))
    return f"unix:{default_socket()}"


def _last(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:]) or "    (it said nothing)"
