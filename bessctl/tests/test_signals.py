# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGHUP: the shell ends, and what it ran on is as it was."""

import os
import pty
import signal
import subprocess
import termios
from pathlib import Path

import pytest
from fake_daemon import FakeDaemon

BESSCTL = Path(__file__).resolve().parents[1] / "bessctl"


def start(fake: FakeDaemon, terminal: int, home: Path) -> "subprocess.Popen[bytes]":
    """A shell at a terminal."""
    environ = {**os.environ, "BESS_GRPC_URL": fake.address, "HOME": str(home), "TERM": "xterm"}
    return subprocess.Popen(
        [BESSCTL], stdin=terminal, stdout=terminal, stderr=terminal, env=environ
    )


def read_until(master: int, words: bytes) -> bytes:
    """What the terminal shows, up to some words."""
    shown = b""
    while words not in shown:
        shown += os.read(master, 4096)
    return shown


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_at_the_prompt_the_terminal_is_given_back(
    fake: FakeDaemon, tmp_path: Path, how: signal.Signals
) -> None:
    master, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    shell = start(fake, terminal, tmp_path)
    read_until(master, f"{fake.address} $".encode())
    assert termios.tcgetattr(terminal) != before
    shell.send_signal(how)
    assert shell.wait(20) == 128 + how
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    os.close(master)


def test_what_shall_be_ignored_is(fake: FakeDaemon, tmp_path: Path) -> None:
    """As under nohup, which wants a shell to outlive its terminal."""
    environ = {**os.environ, "BESS_GRPC_URL": fake.address, "HOME": str(tmp_path)}
    shell = subprocess.Popen(
        [BESSCTL, "http", "localhost", "0", "--", "show", "version"],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert shell.stdout is not None
    with shell.stdout:
        assert "Ctrl-C ends it" in shell.stdout.readline()
        shell.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            shell.wait(0.5)
        shell.send_signal(signal.SIGTERM)
        assert shell.wait(20) == 128 + signal.SIGTERM
        assert "fake 1.0" not in shell.stdout.read(), "the shell ends, not only its command"
