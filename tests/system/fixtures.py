# SPDX-License-Identifier: Apache-2.0
"""What tests against a daemon share, of whichever directory; their conftest.py imports it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.daemon import Daemon
from pybess import BESS


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory that any user may use; pytest's own are private."""
    path = Path(tempfile.mkdtemp(prefix="bessd-test-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def client(daemon: Daemon) -> Iterator[BESS]:
    """A connection to the daemon of this test."""
    connected = daemon.client()
    yield connected
    connected.disconnect()
