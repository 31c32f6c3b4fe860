# SPDX-License-Identifier: Apache-2.0
"""The tutorial, docs/nf.md, followed to the letter: installed, compiled and run."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAMS, REPO, eventually
from pybess import BESS
from users import AS_NOBODY

PAGE = (REPO / "docs" / "nf.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture(name="shop")
def installed(public_directory: Path) -> Path:
    """A directory with the page's programs, and the library installed below it."""
    command = ["cmake", "--install", str(PROGRAMS.parent), "--component", "nf"]
    subprocess.run(
        [*command, "--prefix", str(public_directory / "bess")], check=True, capture_output=True
    )
    (public_directory / "first.c").write_text(blocks("c")[0], encoding="utf-8")
    (public_directory / "second.cc").write_text(blocks("cpp")[0], encoding="utf-8")
    (public_directory / "third.py").write_text(blocks("python")[0], encoding="utf-8")
    return public_directory


@pytest.mark.parametrize("which", [0, 1, 2], ids=["c", "c++", "python"])
def test_each_language(client: BESS, shop: Path, which: int) -> None:
    path = str(shop / "first.sock")
    client.create_port("NFPort", "nf", {"path": path})
    for mclass, name, argument in (
        ("Source", "source", {}),
        ("PortOut", "out", {"port": "nf"}),
        ("PortInc", "in", {"port": "nf"}),
        ("Sink", "sink", {}),
    ):
        client.create_module(mclass, name, argument)
    client.connect_modules("source", "out")
    client.connect_modules("in", "sink")
    commands = blocks("sh")
    (export,) = re.findall(r"^export PKG_CONFIG_PATH=.*$", commands[0], re.M)
    script = f"{export}\n{commands[1 + which]}".replace("$HOME", str(shop))
    script = script.replace("/tmp/first.sock", path)
    with subprocess.Popen(
        [*AS_NOBODY, "sh", "-ec", script], cwd=shop, start_new_session=True
    ) as running:
        try:
            arrived = eventually(lambda: int(client.get_port_stats("nf").inc.packets) > 1000)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    assert arrived


def test_every_block_is_run() -> None:
    assert [len(blocks(x)) for x in ("c", "cpp", "python", "sh")] == [1, 1, 1, 4]
