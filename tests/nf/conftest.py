# SPDX-License-Identifier: Apache-2.0
"""Network functions as an ordinary user has them, at a daemon that an ordinary user runs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [
    str(HERE.parent / "system"),
    *[str(REPO / x) for x in ("sample_conf", "bessctl", "nf")],
]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from demo.daemon import Daemon, program  # noqa: E402
from fixtures import client, public_directory  # noqa: E402, F401
from users import AS_NOBODY  # noqa: E402

PROGRAMS = Path(program()).resolve().parent / "nf"
os.environ["BESSNF_LIBRARY"] = str(PROGRAMS / "libbessnf.so.1")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def daemon(public_directory: Path) -> Iterator[Daemon]:
    """A daemon of an ordinary user; that it ends with status 0 is part of the test."""
    with Daemon(front=AS_NOBODY, directory=public_directory) as running:
        yield running


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs, as an ordinary user, that end with the test: those of nf/examples by name."""
    running: list["subprocess.Popen[str]"] = []

    def run(name: str, *arguments: str) -> "subprocess.Popen[str]":
        python = [sys.executable, str(REPO / "nf" / "examples" / name)]
        command = python if name.endswith(".py") else [str(PROGRAMS / name)]
        environment = {**os.environ, "PYTHONPATH": str(REPO / "nf"), "PYTHONDONTWRITEBYTECODE": "1"}
        running.append(
            subprocess.Popen(
                [*AS_NOBODY, *command, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
            )
        )
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def eventually(so: Callable[[], bool], seconds: float = 20) -> bool:
    """Waits, for as long as a busy machine may take, until something is so."""
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:
        time.sleep(0.005)
    return so()
