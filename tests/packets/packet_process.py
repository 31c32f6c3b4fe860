# SPDX-License-Identifier: Apache-2.0
"""The packet_runner process: one for all cases, a new one after it died."""
from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, IO

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120  # a case that takes longer hangs
CANDIDATES = ("build/asan/packet_runner", "build/release/packet_runner")


class RunnerDied(Exception):
    """The runner died under a case: what it was doing, and what it or its sanitizer said."""


def program() -> Path:
    """The runner $PACKET_RUNNER names, else one that was built."""
    named = os.environ.get("PACKET_RUNNER")
    found = [Path(named)] if named else [ROOT / name for name in CANDIDATES]
    for path in found:
        if path.exists():
            return path
    raise FileNotFoundError(
        f"there is no {' or '.join(map(str, found))}; build one: ./build.py build packet_runner"
    )


class Runner:
    """Sends cases to the process and reads its answers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None
        self._classes: dict[str, Any] | None = None

    def run(self, case: dict[str, Any]) -> dict[str, Any]:
        """The answer to a case; raises RunnerDied."""
        return self._ask(json.dumps(case))

    def classes(self) -> dict[str, Any]:
        """The module classes the runner has, with the messages they take."""
        if self._classes is None:
            self._classes = self._ask("classes")
        return self._classes

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
        if self._errors is not None:
            self._errors.close()
        self._process = self._errors = None

    def _ask(self, line: str) -> dict[str, Any]:
        process = self._start()
        assert process.stdin and process.stdout
        doing = "the start"
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            for text in process.stdout:
                answer: dict[str, Any] = json.loads(text)
                if set(answer) != {"at"}:
                    assert "bad" not in answer, answer["bad"]
                    return answer
                doing = answer["at"]
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        raise self._bury(doing)

    def _start(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
            self._process = subprocess.Popen(
                [str(self.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                env={**os.environ, **_sanitizer_options()},
            )
        return self._process

    def _bury(self, doing: str) -> RunnerDied:
        assert self._process and self._errors
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip() or "it said nothing"
        how = f"with signal {-status}" if status < 0 else f"with status {status}"
        try:
            self.close()
        except BrokenPipeError:
            self._process = self._errors = None
        return RunnerDied(f"the runner died {how} at {doing}\n{said}")


def _sanitizer_options() -> dict[str, str]:
    """Failed assertions get a stack trace too."""
    return {
        "ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "handle_abort=1"))),
        "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "print_stacktrace=1"),
    }
