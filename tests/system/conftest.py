# SPDX-License-Identifier: Apache-2.0
"""A daemon for each test that asks for one, and the means to look at it.

$BESSD says which daemon is under test. Tests that need network namespaces are collected for root
only; the end of the report says so.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(HERE), str(REPO / "sample_conf"), str(REPO / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from demo.daemon import Daemon  # noqa: E402
from fixtures import client, public_directory  # noqa: E402, F401
from users import IS_ROOT  # noqa: E402

ROOT_ONLY = ["test_namespaces.py", "test_vport.py"]
collect_ignore = [] if IS_ROOT else ROOT_ONLY


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says what this run left out."""
    if not IS_ROOT:
        names = ", ".join(f"tests/system/{name}" for name in ROOT_ONLY)
        terminalreporter.write_line(f"left out, since only root may: {names}")


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A fresh daemon; that it ends with status 0 is part of the test."""
    with Daemon() as running:
        yield running
