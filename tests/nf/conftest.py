# SPDX-License-Identifier: Apache-2.0
"""Network functions as an ordinary user has them, at a daemon that an ordinary user runs."""

import os
import shutil
import subprocess
import sys
import tempfile
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
from pybess import BESS  # noqa: E402
from users import AS_NOBODY  # noqa: E402

PROGRAMS = Path(program()).resolve().parent / "nf"
os.environ["BESSNF_LIBRARY"] = str(PROGRAMS / "libbessnf.so.1")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that any user may use; pytest's own are private."""
    path = Path(tempfile.mkdtemp(prefix="bessnf-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def daemon(directory: Path) -> Iterator[Daemon]:
    """A daemon of an ordinary user; that it ends with status 0 is part of the test."""
    with Daemon(front=AS_NOBODY, directory=directory) as running:
        yield running


@pytest.fixture
def client(daemon: Daemon) -> Iterator[BESS]:
    """A connection to the daemon of this test."""
    connected = daemon.client()
    yield connected
    connected.disconnect()


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
