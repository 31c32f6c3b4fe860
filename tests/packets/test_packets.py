# SPDX-License-Identifier: Apache-2.0
"""Every case of every .pkt file of the repository is a test."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest

from packet_check import check
from packet_file import Case, PacketFileError, read
from packet_process import ROOT, Runner, RunnerDied

FILES = sorted([*ROOT.glob("modules/*/*.pkt"), *(Path(__file__).parent / "cases").glob("*.pkt")])


def cases() -> Iterator[Any]:
    """A file that cannot be read is a test that fails."""
    for path in FILES:
        try:
            for case in read(path):
                yield pytest.param(case, id=f"{path.stem}: {case.name}")
        except PacketFileError as error:
            yield pytest.param(error, id=f"{path.stem}: the file")


@pytest.mark.parametrize("case", cases())
def test_case(case: Case | PacketFileError, runner: Runner) -> None:
    """Runs one case."""
    try:
        if isinstance(case, PacketFileError):
            raise case
        problems = check(case, runner)
    except (PacketFileError, RunnerDied) as error:
        problems = [str(error)]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
