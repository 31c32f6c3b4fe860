# SPDX-License-Identifier: Apache-2.0
"""The shell against a real daemon: one-shot, piped, and a bad script that may break nothing."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from demo.daemon import Daemon, program
from pybess import BESS
from users import AS_NOBODY

REPO = Path(__file__).resolve().parents[2]
BESSCTL = str(REPO / "bessctl" / "bessctl")


def bessctl(daemon: Daemon, *words: str, script: str | None = None) -> tuple[int, str, str]:
    """The shell's exit status, output and complaints."""
    done = subprocess.run(
        [BESSCTL, *words],
        env={**os.environ, "BESS_GRPC_URL": daemon.address},
        input=script,
        stdin=subprocess.DEVNULL if script is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def fine(daemon: Daemon, *words: str, script: str | None = None) -> str:
    """The output of something that has to succeed."""
    status, said, complaint = bessctl(daemon, *words, script=script)
    assert (status, complaint) == (0, "")
    return said


def test_one_shot(daemon: Daemon, client: BESS) -> None:
    assert client.get_version().version in fine(daemon, "show", "version")
    said = fine(
        daemon, "run", "l2_switch", "--", "show", "pipeline", "--", "show", "module", "switch"
    )
    for name in ("src", "switch", "uplink", "first", "second"):
        assert name in said
    assert "L2Forward" in said
    assert {module.name for module in client.list_modules().modules} >= {"src", "switch"}


def test_piped(daemon: Daemon, client: BESS) -> None:
    lines = [
        "add module Source src",
        "add module Sink out",
        "add connection src out",
        "show worker",
    ]
    said = fine(daemon, script="\n".join(["# from a file", "", *lines]))
    assert "0" in said
    assert [gate.name for gate in client.get_module_info("src").ogates] == ["out"]


def test_a_failing_line_ends_a_piped_script_with_its_number(daemon: Daemon, client: BESS) -> None:
    script = "add module Source src\nadd module Sauce x\nadd module Sink out\n"
    status, _, complaint = bessctl(daemon, script=script)
    assert status == 1 and "line 2" in complaint and "Sauce" in complaint
    assert [module.name for module in client.list_modules().modules] == ["src"]


def test_monitor_without_a_terminal_is_one_sample(daemon: Daemon) -> None:
    said = fine(daemon, "run", "source_sink", "--", "monitor", "pipeline")
    assert "packets/s" in said and "src" in said


def test_commands_about_ports_and_modules(daemon: Daemon) -> None:
    said = fine(
        daemon,
        *"add port PMDPort null vdev=net_null_ctl -- show port -- add module PortInc in port=null".split(),
        *"-- show module in -- delete module in -- delete port null -- show port".split(),
    )
    assert "PMDPort" in said and "PortInc" in said and "There are no ports" in said


def assert_still_runs(client: BESS) -> None:
    """source_sink is what runs, and it moves."""
    assert [module.name for module in client.list_modules().modules] == ["out", "src"]
    before = client.get_ledger().totals.created
    for _ in range(1000):
        if client.get_ledger().totals.created > before:
            return
    raise AssertionError("nothing moves")


def test_a_script_that_is_wrong_leaves_what_ran(
    daemon: Daemon, client: BESS, tmp_path: Path
) -> None:
    fine(daemon, "run", "source_sink")
    wrong = tmp_path / "wrong.bess"
    wrong.write_text("src::Source() -> Sinc()\n", encoding="utf-8")
    status, _, complaint = bessctl(daemon, "run", "file", str(wrong))
    assert status == 1
    assert "wrong.bess" in complaint and "Sinc" in complaint and "not touched" in complaint
    assert_still_runs(client)


def test_a_script_that_the_daemon_refuses_half_way_leaves_what_ran(
    daemon: Daemon, client: BESS, tmp_path: Path
) -> None:
    fine(daemon, "run", "source_sink")
    refused = tmp_path / "refused.bess"
    refused.write_text("q::Queue(size=5)\nSource() -> q -> Sink()\n", encoding="utf-8")
    status, _, complaint = bessctl(daemon, "run", "file", str(refused))
    assert status == 1 and "'size'" in complaint and "run again" in complaint
    assert_still_runs(client)


@pytest.mark.parametrize(
    "text, line, column, words",
    [
        ("src::Source() -> q::Queue(size=5) -> Sink()", 1, 32, "'size' must be a power of two"),
        ("a::Sink()\n\na -> b::Sink()", 3, 1, "module 'a' (Sink) has no output gates"),
        ("def f():\n  return PMDPort(vdev='nope')\nf()", 2, 10, "no driver for 'nope'"),
        ("f::ACL()\nf.add(rules=[{'src_ip': 'x'}])", 2, 13, "rules[0]: 'x' is not an IPv4 address"),
        ("x = 1; bess.add_worker(wid=0, core=4000)", 1, 36, "'core' must be one of"),
        ("PMDPort(vdev='net_null_e')\nPortInc(port='e')", 2, 1, "there is no port 'e'"),
    ],
)
def test_what_the_daemon_refuses_is_shown_in_the_script(
    daemon: Daemon, tmp_path: Path, text: str, line: int, column: int, words: str
) -> None:
    script = tmp_path / "refused.bess"
    script.write_text(f"{text}\n", encoding="utf-8")
    status, _, complaint = bessctl(daemon, "run", "file", str(script))
    said, source, mark = complaint.splitlines()[:3]
    assert status == 1 and said.startswith(f"bessctl: {script}:{line}:{column}: ") and words in said
    assert source.strip() == text.splitlines()[line - 1].strip()
    assert mark.index("^") == 4 + column - 1


def test_every_sample_runs_by_its_name(daemon: Daemon, tmp_path: Path) -> None:
    for path in sorted((REPO / "sample_conf").glob("*.bess")):
        env = [f"OUT={tmp_path}/out.pcap"] if path.stem == "pcap_replay" else []
        fine(daemon, "run", path.stem, *env)


@pytest.mark.slow
def test_every_sample_runs_for_an_ordinary_user(public_directory: Path) -> None:
    """At a daemon of the same user. Nothing here needs a network device."""
    places = {
        "pcap_replay": [f"OUT={public_directory}/out.pcap"],
        "nf_chain": [f"DIR={public_directory}"],
    }

    def arrived(client: BESS) -> int:
        """Packets that came to an end; in nf_chain, where nobody attaches, a drop."""
        totals = client.get_ledger().totals
        return int(totals.consumed + sum(totals.dropped_by_reason.values()))

    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(public_directory)}
    with Daemon(front=AS_NOBODY, directory=public_directory) as daemon:
        client = daemon.client()
        for path in sorted((REPO / "sample_conf").glob("*.bess")):
            before = arrived(client)
            done = subprocess.run(
                [*AS_NOBODY, BESSCTL, "run", path.stem, *places.get(path.stem, [])],
                env={**environment, "BESS_GRPC_URL": daemon.address},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, ""), path.name
            deadline = time.monotonic() + 10
            while arrived(client) == before:
                assert time.monotonic() < deadline, f"no packet came through {path.name}"
            client.reset_all()
            assert client.get_ledger().totals.unaccounted == 0


def test_an_ordinary_user_needs_nobody_s_help(public_directory: Path) -> None:
    home = str(public_directory)
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": home, "XDG_RUNTIME_DIR": home}
    words = "daemon start -- run source_sink -- show pipeline -- tcpdump src out 0 -n -c 3"
    words += " -- show gatehook -- daemon stop"
    done = subprocess.run(
        [*AS_NOBODY, BESSCTL, *words.split()],
        env={**environment, "BESSD": program()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    started = re.search(r"pid (\d+)", done.stdout)
    if done.returncode != 0 and started:
        os.kill(int(started.group(1)), signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    assert f"listens at unix:{home}/bessd/bessd.sock" in done.stdout
    assert "Source" in done.stdout and "Track" in done.stdout and "TcpDump" not in done.stdout
    assert len(re.findall(r"^\d\d:\d\d:\d\d\.\d+ ", done.stdout, re.M)) == 3, "packets of tcpdump"
    left = {path.relative_to(public_directory).as_posix() for path in public_directory.rglob("*")}
    kept = {name for name in left if not name.startswith(".cache")}
    journal = {f"bessd/bessd.sock.journal{name}" for name in ("", "/journal", "/lock")}
    assert kept - journal == {"bessd", "bessd/bessd.log", "dpdk"}, "DPDK leaves its directory"


def test_root_can_capture_at_somebody_else_s_daemon(public_directory: Path) -> None:
    with Daemon(front=AS_NOBODY, directory=public_directory) as daemon:
        fine(daemon, "run", "source_sink")
        status, said, _ = bessctl(daemon, *"tcpdump out in 0 -n -e -c 2".split())
        assert status == 0 and len(said.splitlines()) == 2
        assert "TcpDump" not in fine(daemon, "show", "gatehook")


def test_a_signal_takes_a_capture_away(daemon: Daemon, tmp_path: Path) -> None:
    fine(daemon, "run", "source_sink")
    capture = subprocess.Popen(
        [BESSCTL, *"tcpdump out in 0 -n -e".split()],
        env={**os.environ, "BESS_GRPC_URL": daemon.address, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert capture.stdout is not None
    with capture.stdout:
        capture.stdout.readline()
        children = Path(f"/proc/{capture.pid}/task/{capture.pid}/children")
        (tcpdump,) = children.read_text(encoding="utf-8").split()
        capture.send_signal(signal.SIGTERM)
        capture.stdout.read()
    assert capture.wait(20) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{tcpdump}").exists() and not list(tmp_path.iterdir())
    assert "TcpDump" not in fine(daemon, "show", "gatehook")


def test_no_daemon_is_said_plainly(tmp_path: Path) -> None:
    environment = {**os.environ, "BESS_GRPC_URL": f"unix:{tmp_path}/nobody"}
    words = [BESSCTL, "show", "version"]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "no daemon answers" in done.stderr
    assert "Traceback" not in done.stderr
