# SPDX-License-Identifier: Apache-2.0
"""The daemon as a process: how it starts, whom it serves, how it ends."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from demo.daemon import Daemon, program
from pybess import BESS, RPCError
from users import AS_NOBODY, IS_ROOT, NOBODY

START_SECONDS = 1.0
TRIES = 5


def start_badly(*options: str) -> tuple[int, str]:
    """The exit status and the words of a daemon that cannot start, without what its log says."""
    done = subprocess.run(
        [program(), *options], capture_output=True, text=True, timeout=20, check=False
    )
    assert "ready" not in done.stdout
    lines = [line for line in done.stderr.splitlines() if "[info]" not in line]
    return done.returncode, "\n".join(lines).strip()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_starts_at_once_and_says_so() -> None:
    seconds = []
    for _ in range(TRIES):
        with Daemon() as daemon:
            seconds.append(daemon.start_seconds)
            assert daemon.ready == f"ready {daemon.address}"
    assert (
        min(seconds) < START_SECONDS
    ), "the quickest of several starts, on a machine that is shared"


def test_answers_as_soon_as_it_is_ready(daemon: Daemon) -> None:
    client = daemon.client()
    assert client.get_version().version
    assert list(client.list_modules().modules) == []
    assert list(client.list_workers().workers_status) == []
    assert "Source" in client.list_mclasses().names
    assert "PMDPort" in client.list_drivers().driver_names


def test_a_second_daemon_on_the_socket_is_refused_by_name(daemon: Daemon) -> None:
    status, said = start_badly(f"--socket={daemon.socket}")
    assert status == 1
    assert said == f"bessd: another bessd (pid {daemon.pid}) serves {daemon.socket}"
    assert daemon.client().get_version().version, "the first one goes on"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(how: int, tmp_path: Path) -> None:
    with Daemon(["-p", str(free_port())], directory=tmp_path) as daemon:
        client = daemon.client()
        client.create_module("Source", "src")
        client.create_module("Sink", "out")
        client.connect_modules("src", "out")
        client.disconnect()
        started = time.monotonic()
        assert daemon.stop(how) == 0
        assert time.monotonic() - started < 2
    assert not daemon.socket.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bessd.log"]


def test_kill_ends_it_cleanly(tmp_path: Path) -> None:
    with Daemon(directory=tmp_path) as daemon:
        daemon.client().kill()
        assert daemon.wait() == 0
    assert not daemon.socket.exists()


def test_kill_ends_it_cleanly_whatever_it_does(tmp_path: Path) -> None:
    """With ports and modules at work, or paused in the middle of it."""
    for paused in (False, True):
        with Daemon(directory=tmp_path) as daemon:
            client = daemon.client()
            port = {"path": str(tmp_path / "port.sock")}
            client.create_port("UnixSocketPort", "p", port)
            client.create_module("Source", "src")
            client.create_module("Queue", "queue")
            client.create_module("PortOut", "out", {"port": "p"})
            client.connect_modules("queue", "out")
            client.connect_modules("src", "queue")
            if paused:
                client.pause_all()
            client.kill()
            assert daemon.wait() == 0
        assert [path.name for path in tmp_path.iterdir()] == ["bessd.log"], "ports are given back"


def test_nothing_stands_between_a_crash_and_whoever_waits(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="status -11"):
        with Daemon(directory=tmp_path) as daemon:
            os.kill(daemon.pid, signal.SIGSEGV)
            assert daemon.wait() == -signal.SIGSEGV
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"bessd.log", "bessd.sock", "bessd.sock.pid"}, "it wrote nothing on its way"


def test_one_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="status -9"):
        with Daemon(directory=tmp_path) as first:
            os.kill(first.pid, signal.SIGKILL)
            assert first.wait() == -signal.SIGKILL
    assert (tmp_path / "bessd.sock").exists()
    with Daemon(directory=tmp_path) as second:
        assert second.client().get_version().version


def test_leaves_no_files_or_hugepages_behind() -> None:
    def found() -> set[str]:
        places = [Path("/dev/hugepages"), Path("/dev/shm"), Path("/var/run/dpdk"), Path("/tmp")]
        return {
            str(path)
            for place in places
            if place.is_dir() and os.access(place, os.R_OK | os.X_OK)
            for path in place.iterdir()
            if "rte" in path.name or "rtemap" in path.name
        }

    before = found()
    with Daemon() as daemon:
        daemon.client().create_module("Source", "src")
    assert found() - before == set()


def test_an_ordinary_user_can_run_it(public_directory: Path) -> None:
    with Daemon(front=AS_NOBODY, directory=public_directory) as daemon:
        status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="utf-8")
        assert "Uid:\t0\t" not in status
        client = daemon.client()
        client.create_module("Source", "src")
        client.create_module("Sink", "out")
        client.connect_modules("src", "out")
        deadline = time.monotonic() + 5
        while client.get_ledger().totals.created == 0:
            assert time.monotonic() < deadline, "no packet was made"
            time.sleep(0.01)
        port = {"vdev": "net_null0"}
        assert client.create_port("PMDPort", "null", port).name == "null"
    assert not daemon.socket.exists()


def test_serves_tcp_on_loopback_when_asked() -> None:
    port = free_port()
    with Daemon(["-p", str(port)]) as daemon:
        assert daemon.ready == f"ready {daemon.address} 127.0.0.1:{port}"
        client = BESS()
        client.connect(f"localhost:{port}")
        assert client.get_version().version == daemon.client().get_version().version


def test_serves_no_tcp_unless_asked(daemon: Daemon) -> None:
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    assert f"pid={daemon.pid}," not in listening


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken, tempfile.TemporaryDirectory() as scratch:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = start_badly(f"--socket={scratch}/s", "-p", str(port))
        assert status == 1
        assert f"127.0.0.1:{port}" in said and "another process uses" in said
        assert not Path(scratch, "s").exists()


@pytest.mark.parametrize(
    "options, words",
    [
        (["-p", "10514", "-b", "0.0.0.0"], ["'0.0.0.0' is not a loopback address"]),
        (["-p", "10514", "-b", "192.0.2.1"], ["'192.0.2.1' is not a loopback address"]),
        (["-p", "70000"], ["1..65535", "70000"]),
        (["-p", "-1"], ["1..65535", "-1"]),
        (["--idle=never"], ["idle", "'adaptive'", "'spin'", "'never'"]),
        (["--huge=yes"], ["huge", "'auto'", "'never'", "'yes'"]),
        (["--buffers=3"], ["3"]),
        (["--buffers=many"], ["buffers", "many"]),
        (["-c", "4000"], ["4000"]),
        (["--nonsense"], ["nonsense"]),
        (["stray"], ["stray"]),
        (["--no-journal", "--journal=j"], ["--journal=j", "--no-journal", "exclude"]),
        (["--plugins=/nowhere"], ["--plugins", "'/nowhere'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_flags_are_one_plain_sentence(
    options: list[str], words: list[str], tmp_path: Path
) -> None:
    status, said = start_badly(f"--socket={tmp_path}/s", *options)
    assert status == 1
    assert len(said.splitlines()) == 1, said
    for word in words:
        assert word in said
    assert list(tmp_path.iterdir()) == []


def test_help_lists_the_flags() -> None:
    command = [program(), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    for flag in ("--socket", "--no_journal", "--plugins"):
        assert flag in said
    assert "grpc" not in said, "those of libraries"


def test_a_directory_of_somebody_else_is_no_place_for_the_socket(public_directory: Path) -> None:
    """Whoever owns it could put another socket in the place of this one."""
    taken = public_directory / "taken"
    taken.mkdir()
    if not IS_ROOT:
        return
    os.chown(taken, NOBODY - 1, NOBODY - 1)
    taken.chmod(0o777)
    command = [*AS_NOBODY, program(), f"--socket={taken}/bessd.sock"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and f"{taken} belongs to another user" in done.stderr
    assert not list(taken.iterdir())


def test_a_socket_that_cannot_be_is_explained(tmp_path: Path) -> None:
    status, said = start_badly(f"--socket={tmp_path}/{'x' * 200}")
    assert status == 1 and "1..107 bytes" in said
    status, said = start_badly("--socket=/proc/bessd/s")
    assert status == 1 and "/proc/bessd" in said
    (tmp_path / "file").write_text("keep me", encoding="utf-8")
    status, said = start_badly(f"--socket={tmp_path}/file")
    assert status == 1 and "is not a socket" in said
    assert (tmp_path / "file").read_text(encoding="utf-8") == "keep me"


def test_strangers_may_not_command_it(public_directory: Path) -> None:
    with Daemon(directory=public_directory) as daemon:
        assert daemon.socket.stat().st_mode & 0o007 == 0
        if os.geteuid() != 0:
            return
        daemon.socket.chmod(0o666)
        probe = "import sys; from pybess import BESS; BESS().connect(sys.argv[1])"
        path = str(Path(__file__).resolve().parents[2] / "bessctl")
        who = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", "--"]
        done = subprocess.run(
            [*who, "/usr/bin/python3", "-c", probe, daemon.address],
            env={**os.environ, "PYTHONPATH": path, "HOME": str(public_directory)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode != 0 and "no daemon answers" in done.stderr
        assert daemon.client().get_version().version


def test_a_daemon_that_ends_breaks_off_a_client_s_requests(tmp_path: Path) -> None:
    """Whenever it does: some find it ending, some gone."""
    for _ in range(TRIES):
        with Daemon(directory=tmp_path) as daemon:
            client = daemon.client()
            os.kill(daemon.pid, signal.SIGTERM)
            with pytest.raises(RPCError, match=f"{daemon.address}.*(ended|is bessd running)"):
                while True:
                    client.list_modules()


def test_a_lost_daemon_is_an_error_not_a_wait() -> None:
    with pytest.raises(Exception, match="status -9"):
        with Daemon() as daemon:
            client = daemon.client()
            os.kill(daemon.pid, signal.SIGKILL)
            daemon.wait()
            with pytest.raises(RPCError, match="no daemon answers"):
                client.get_version()
