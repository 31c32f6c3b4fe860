# SPDX-License-Identifier: Apache-2.0
"""One runner for all tests, and the way to the loader of .bess scripts."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bessctl"))

from packet_process import Runner, program  # noqa: E402


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """The packet_runner of the build under test."""
    try:
        process = Runner(program())
    except FileNotFoundError as error:
        pytest.fail(str(error), pytrace=False)
    yield process
    process.close()
