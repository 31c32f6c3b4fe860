# SPDX-License-Identifier: Apache-2.0
"""The live demo, short: ping, HTTP and iperf3 between two namespaces. Needs root."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo.session import Demo, Options
from rich.console import Console

LIVE = Path(__file__).resolve().parents[2] / "sample_conf" / "live.py"


def left_behind() -> list[str]:
    """Namespaces and links with this test's names."""
    seen = ""
    for words in (["netns", "list"], ["-o", "link"]):
        seen += subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
    pid = str(os.getpid())
    return [
        line for line in seen.splitlines() if re.search(rf"\b(bess-\w+-|bin|bout){pid}\b", line)
    ]


@pytest.mark.parametrize("driver", ["af_packet", "af_xdp"])
def test_programs_talk_through_it_and_the_books_add_up(driver: str) -> None:
    shown = io.StringIO()
    demo = Demo(Options(driver=driver, iperf_seconds=2), Console(file=shown, width=120))
    assert demo.run(), shown.getvalue()
    steps = "\n".join(demo.steps)
    for word in ("ping", "curl", "iperf3", "telnet"):
        assert word in steps
    assert "The books add up" in shown.getvalue()
    assert re.search(r"leaving .*denied", shown.getvalue())
    assert demo.busiest is not None and demo.busiest.packets > 1000
    assert left_behind() == []


def children_of(pid: int) -> list[int]:
    """The processes it started that still run."""
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in out.stdout.split()]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(how: int) -> None:
    live = subprocess.Popen(
        [sys.executable, str(LIVE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert live.stdout is not None
    for line in live.stdout:
        if "ping" in line:
            break
    started = children_of(live.pid)
    assert started
    live.send_signal(how)
    live.send_signal(how)  # people are impatient
    _, said = live.communicate(timeout=30)
    assert live.returncode == 130 and said.strip() == "live: interrupted"
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert f"bin{live.pid}" not in links and f"bout{live.pid}" not in links


def test_at_a_terminal_it_draws_until_a_key_is_pressed() -> None:
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "60"}
    live = subprocess.Popen(
        [sys.executable, str(LIVE)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        close_fds=True,
    )
    os.close(terminal)
    seen, pressed, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            seen += os.read(controller, 65536)
        except OSError:
            break
        if not pressed and b"iperf3" in seen:
            os.write(controller, b"q")
            pressed = True
    os.close(controller)
    assert live.wait(30) == 0, seen.decode(errors="replace")
    text = seen.decode(errors="replace")
    assert pressed and "packets/s" in text and "The books add up" in text
