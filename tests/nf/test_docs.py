# SPDX-License-Identifier: Apache-2.0
"""The tutorial, docs/nf.md, followed to the letter: installed, compiled and run."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAMS, REPO, eventually
from demo.daemon import Daemon
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
    texts = {"first.bess": "bess", "first.c": "c", "second.cc": "cpp", "third.py": "python"}
    for name, language in texts.items():
        text = blocks(language)[0].replace("/tmp/first.sock", f"{public_directory}/first.sock")
        (public_directory / name).write_text(text, encoding="utf-8")
    (public_directory / "bessctl").symlink_to(REPO / "bessctl")
    return public_directory


def follow(shop: Path, commands: str, daemon: Daemon) -> "subprocess.Popen[str]":
    """Starts commands of the page in a shell; the switch of this test takes the place of its own."""
    script = commands.replace("$HOME", str(shop)).replace("/tmp/first.sock", f"{shop}/first.sock")
    return subprocess.Popen(
        [*AS_NOBODY, "sh", "-ec", script],
        cwd=shop,
        env={**os.environ, "HOME": str(shop), "BESS_GRPC_URL": daemon.address},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("which", [0, 1, 2], ids=["c", "c++", "python"])
def test_each_language(daemon: Daemon, shop: Path, which: int) -> None:
    install, run, *programs = blocks("sh")
    start, run_script = run.splitlines()
    assert start == "bessctl/bessctl daemon start"
    with follow(shop, run_script, daemon) as done:
        assert done.wait(60) == 0
    client = daemon.client()
    (export,) = re.findall(r"^export PKG_CONFIG_PATH=.*$", install, re.M)
    with follow(shop, f"{export}\n{programs[which]}", daemon) as running:
        try:
            assert eventually(lambda: int(client.get_port_stats("nf").inc.packets) > 1000)
            client.disconnect()
            assert daemon.stop() == 0
            _, complaint = running.communicate(timeout=20)
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)
            raise
    assert running.returncode in (0, 1) and "Traceback" not in complaint


def test_every_block_is_run() -> None:
    assert [len(blocks(x)) for x in ("bess", "c", "cpp", "python", "sh")] == [1, 1, 1, 1, 5]
