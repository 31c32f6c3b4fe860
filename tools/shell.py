# SPDX-License-Identifier: Apache-2.0
"""Running other programs, and the few facts about this machine that decide how."""
from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"


class Failed(Exception):
    """Something a person has to look at; the message is all they need to see."""


def say(text: str) -> None:
    """Prints one line of progress at once, also into a pipe."""
    print(text, flush=True)


def default_jobs() -> int:
    """As many jobs as CPUs this process may use, at most one for each 1.5 GB of free memory.

    A sanitized file that includes gRPC takes over 1 GB to compile; swapping costs more than waiting.
    """
    cpus = len(os.sched_getaffinity(0))
    free_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, StopIteration, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        free_bytes = 1024 * next(int(x.split()[1]) for x in lines if x.startswith("MemAvailable"))
    return max(1, min(cpus, int(free_bytes / 1.5e9)))


def tool(name: str) -> str:
    """Finds a program, the system's before any other: version managers put stale shims in front."""
    path = shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin") or shutil.which(name)
    if path is None:
        raise Failed(f"{name} is not installed; ./build.py setup installs it")
    return path


@functools.lru_cache(maxsize=None)
def python_with(*modules: str) -> str:
    """Finds an interpreter that has these modules; the first python3 of PATH may have none."""
    probe = "import " + ", ".join(modules)
    found = [shutil.which(name) for name in ("/usr/bin/python3", "python3")]
    for path in [*found, sys.executable]:
        if path and subprocess.run([path, "-c", probe], stderr=subprocess.DEVNULL).returncode == 0:
            return path
    raise Failed(f"no python3 has {', '.join(modules)}; ./build.py setup installs them")


def run(
    command: Sequence[str], env: Mapping[str, str] | None = None, log: IO[str] | None = None
) -> int:
    """Runs a program in the repository's root and returns its exit status."""
    merged = {**os.environ, **(env or {})}
    done = subprocess.run(
        command, cwd=ROOT, env=merged, stdout=log, stderr=log and subprocess.STDOUT
    )
    return done.returncode


def run_limited(command: Sequence[str], env: Mapping[str, str], log: IO[str], seconds: int) -> int:
    """Runs a program with a time limit; when that is over, its children are ended with it."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        log.write(f"\nstill running after {seconds} seconds: ended\n")
        return 124
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def only_one(name: str) -> Iterator[None]:
    """Lets one build.py at a time work in build/NAME; a second one waits instead of colliding."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f".{name}.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build.py in build/{name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
