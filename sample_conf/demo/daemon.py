# SPDX-License-Identifier: Apache-2.0
"""A bessd of our own: on a private socket in a directory of its own, ended by its process id."""

import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Sequence

from pybess import BESS

from demo.errors import DemoError

REPO = Path(__file__).resolve().parents[2]
READY_SECONDS = 20
STOP_SECONDS = 10


def program() -> str:
    """The daemon to use: $BESSD, which build.py sets, else the one it built last."""
    chosen = os.environ.get("BESSD") or str(REPO / "build" / "bessd")
    if not os.access(chosen, os.X_OK):
        raise DemoError(f"there is no daemon at {chosen}; ./build.py build makes it")
    return chosen


def beside(name: str) -> str:
    """A program that is built with the daemon, by its path from there."""
    return str(Path(program()).resolve().parent / name)


class Daemon:
    """Runs from `with` to its end. It keeps no journal unless the options name one.

    `front` is put before the command, to run it as somebody else; `patience` says how many seconds it
    may take to start, or to end.
    """

    def __init__(
        self,
        options: Sequence[str] = (),
        front: Sequence[str] = (),
        directory: Path | None = None,
        patience: float = READY_SECONDS,
    ):
        self._made = None if directory else tempfile.TemporaryDirectory(prefix="bessd-")
        self.directory = directory or Path(self._made.name if self._made else "")
        self.socket = self.directory / "bessd.sock"
        self.address = f"unix:{self.socket}"
        self.log = self.directory / "bessd.log"
        self.ready = ""
        self.start_seconds = 0.0
        self._patience = patience
        keeps = any(option.startswith("--journal=") for option in options)
        journal = () if keeps else ("--no-journal",)
        self._command = [*front, program(), f"--socket={self.socket}", *journal, *options]
        self._process: subprocess.Popen[str] | None = None
        self._good_status = 0

    def __enter__(self) -> "Daemon":
        started = time.monotonic()
        with open(self.log, "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            self._await_ready()
        except BaseException:
            self._end()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            status, said = self.stop(), self.said()
        finally:
            self._end()
        if error is None and status != self._good_status:
            raise DemoError(f"bessd ended with status {status}: {said}")

    @property
    def pid(self) -> int:
        """Of the daemon itself."""
        assert self._process is not None
        return self._process.pid

    def client(self) -> BESS:
        """A new connection to it."""
        client = BESS()
        client.connect(self.address)
        return client

    def said(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-8:]) or "(it said nothing)"

    def next_line(self) -> str:
        """The next line of its output; waits for it for a bounded time."""
        assert self._process is not None and self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], self._patience)
        return self._process.stdout.readline().strip() if readable else ""

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Asks it to end and returns its exit status; one that does not end is killed."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(max(STOP_SECONDS, self._patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise DemoError(f"bessd did not end in time: {self.said()}") from None

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._good_status = -signal.SIGKILL
        self.stop(signal.SIGKILL)

    def wait(self) -> int:
        """Waits until it ends by itself, for a bounded time, and returns its exit status."""
        assert self._process is not None
        return self._process.wait(STOP_SECONDS)

    def _await_ready(self) -> None:
        self.ready = self.next_line()
        if not self.ready.startswith("ready"):
            raise DemoError(f"bessd did not start: {self.said()}")

    def _end(self) -> None:
        try:
            self.stop()
        finally:
            if self._process is not None and self._process.stdout is not None:
                self._process.stdout.close()
            if self._made is not None:
                self._made.cleanup()
