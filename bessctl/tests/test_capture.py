# SPDX-License-Identifier: Apache-2.0
"""`tcpdump` and `tshark`: what the program gets, and that nothing of it stays behind."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from besscli.errors import CommandError
from fake_daemon import FakeDaemon
from pybess.convert import packed_type
from session import Session

# Writes down what it was started with and what it read, then ends as it was told to.
STANDIN = """#!/bin/sh
echo "$0 $*" > {directory}/started
{read} > {directory}/got
exit {status}
"""


@pytest.fixture(name="programs")
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory where programs called tcpdump and tshark are put, and for temporary files."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def put(directory: Path, name: str, read: str, status: int = 0) -> None:
    program = directory / name
    program.write_text(STANDIN.format(directory=directory, read=read, status=status))
    program.chmod(0o755)


def left_over(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.startswith("bessctl-")]


def test_the_program_gets_what_the_hook_writes(
    run: Session, fake: FakeDaemon, programs: Path
) -> None:
    put(programs, "tcpdump", "head -c 5")
    fake.dump = b"packets"
    run("add module Sink s", "tcpdump s in 4 -n -c 1 icmp or arp")
    assert (programs / "got").read_text() == "packe"
    assert (programs / "started").read_text().endswith("tcpdump -l -r - -n -c 1 icmp or arp\n")
    enabled, disabled = fake.state.pipeline.hooks[-2:]
    assert enabled["hook"]["class_name"] == "TcpDump" and enabled["enable"]
    assert (enabled["hook"]["module_name"], enabled["hook"]["igate"]) == ("s", 4)
    assert disabled["hook"]["hook_name"] == "tcpdump0" and "enable" not in disabled
    assert not fake.hooks and not left_over(programs)


def test_tshark_reads_pcapng_and_shows_its_comments(
    run: Session, fake: FakeDaemon, programs: Path
) -> None:
    put(programs, "tshark", "head -c 1")
    fake.dump = b"x"
    run("add module Source s", "tshark s")
    hook = fake.state.pipeline.hooks[-2]["hook"]
    assert hook["class_name"] == "PcapNg" and hook.get("ogate", 0) == 0
    assert "frame.comment" in (programs / "started").read_text()


def test_the_fifo_is_the_users_alone(run: Session, fake: FakeDaemon, programs: Path) -> None:
    put(programs, "tcpdump", "head -c 1")
    seen: list[os.stat_result] = []

    def look(request: object) -> None:
        hook = request.hook  # type: ignore[attr-defined]
        if request.enable:  # type: ignore[attr-defined]
            arg_class = run.shell.client.protos.message(packed_type(hook.arg))
            path = Path(arg_class.FromString(hook.arg.value).fifo)
            seen.extend([path.stat(), path.parent.stat()])

    fake.dump, fake.refuse["ConfigureGateHook"] = b"x", look  # type: ignore[assignment]
    run("add module Sink s", "tcpdump s in")
    fifo, directory = seen
    assert stat.S_ISFIFO(fifo.st_mode) and stat.S_IMODE(fifo.st_mode) == 0o600
    assert stat.S_IMODE(directory.st_mode) == 0o700
    assert fifo.st_uid == directory.st_uid == os.geteuid()


def test_a_program_that_fails_is_reported(run: Session, fake: FakeDaemon, programs: Path) -> None:
    put(programs, "tcpdump", "true", status=3)
    with pytest.raises(CommandError, match="tcpdump ended with status 3"):
        run("add module Sink s", "tcpdump s in")
    assert not fake.hooks and not left_over(programs)


def test_a_program_that_is_not_there(
    run: Session, fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CommandError, match="tshark is not installed here"):
        run("tshark s")
    assert "ConfigureGateHook" not in fake.calls


def test_what_the_daemon_refuses_leaves_nothing(run: Session, programs: Path) -> None:
    put(programs, "tcpdump", "true")
    with pytest.raises(CommandError, match="there is no module 'nobody'"):
        run("tcpdump nobody")
    assert not left_over(programs) and not (programs / "started").exists()


def start_tcpdump(fake: FakeDaemon, programs: Path, then: str) -> "subprocess.Popen[str]":
    """A shell of its own that shows packets, and would carry out another command behind that."""
    put(programs, "tcpdump", f"echo $$ > {programs}/pid; exec cat")
    fake.dump = b"all there is"
    fake.state.create_module("Sink", "s")
    command = [sys.executable, "-m", "besscli", "tcpdump", "s", "in", "--", *then.split()]
    root = Path(__file__).resolve().parents[1]
    environ = {**os.environ, "BESS_GRPC_URL": fake.address, "PYTHONPATH": str(root)}
    environ["TMPDIR"] = str(programs)
    shell = subprocess.Popen(
        command,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that a shell runs in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (programs / "got").exists() or not (programs / "got").read_text():
        assert shell.poll() is None
    return shell


def runs(programs: Path) -> bool:
    """Whether the program that shows packets is still there, and no zombie."""
    stat_file = Path("/proc", (programs / "pid").read_text().strip(), "stat")
    try:
        return stat_file.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("whom", ["group", "shell"])
def test_ctrl_c_ends_the_program_and_the_hook(fake: FakeDaemon, programs: Path, whom: str) -> None:
    shell = start_tcpdump(fake, programs, "show version")
    send = os.killpg if whom == "group" else os.kill
    send(shell.pid, signal.SIGINT)
    said, _ = shell.communicate(timeout=20)
    assert shell.returncode == 0 and "fake 1.0" in said, "the next command is carried out"
    assert (programs / "got").read_text() == "all there is"
    assert not fake.hooks and not left_over(programs) and not runs(programs)


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(
    fake: FakeDaemon, programs: Path, how: signal.Signals
) -> None:
    shell = start_tcpdump(fake, programs, "show version")
    shell.send_signal(how)
    said, _ = shell.communicate(timeout=20)
    assert shell.returncode == 128 + how
    assert "fake 1.0" not in said, "the shell is to end, not only its command"
    assert not fake.hooks and not left_over(programs) and not runs(programs)


def test_the_program_ends_with_a_shell_that_is_killed(fake: FakeDaemon, programs: Path) -> None:
    shell = start_tcpdump(fake, programs, "show version")
    shell.kill()
    shell.communicate(timeout=20)
    deadline = time.monotonic() + 10
    while runs(programs):
        assert time.monotonic() < deadline, "it reads on, of a pipe that is still written"
        time.sleep(0.01)
