# SPDX-License-Identifier: Apache-2.0
"""Makes the packages of bessctl importable and offers a fake daemon."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from fake_daemon import FakeDaemon  # noqa: E402
from session import Session  # noqa: E402


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A running fake daemon."""
    daemon = FakeDaemon(tmp_path / "fake.sock")
    yield daemon
    daemon.stop()


@pytest.fixture
def hangups() -> Iterator[None]:
    """What starts meanwhile minds SIGHUP, though the tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(name="run")
def session(fake: FakeDaemon) -> Session:
    """A shell connected to the fake daemon."""
    return Session(fake)
