# SPDX-License-Identifier: Apache-2.0
"""The shell against a real daemon: one-shot, piped, and a bad script that may break nothing."""

import os
import subprocess
from pathlib import Path

from demo.daemon import Daemon
from pybess import BESS

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


def test_every_sample_runs_by_its_name(daemon: Daemon, tmp_path: Path) -> None:
    for path in sorted((REPO / "sample_conf").glob("*.bess")):
        env = [f"OUT={tmp_path}/out.pcap"] if path.stem == "pcap_replay" else []
        fine(daemon, "run", path.stem, *env)


def test_no_daemon_is_said_plainly(tmp_path: Path) -> None:
    environment = {**os.environ, "BESS_GRPC_URL": f"unix:{tmp_path}/nobody"}
    words = [BESSCTL, "show", "version"]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "no daemon answers" in done.stderr
    assert "Traceback" not in done.stderr
