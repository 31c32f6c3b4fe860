# SPDX-License-Identifier: Apache-2.0
"""What the two hosts say to each other: ordinary programs, each for a bounded time."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator

from demo.errors import DemoError
from demo.hosts import Host, Hosts, run, tool

HTTP_PORT = 8000
IPERF_PORT = 5201
TELNET_PORT = 23
FILE_BYTES = 20_000_000
FILE_NAME = "file"
START_SECONDS = 10

Say = Callable[[str], None]


def address(host: Host) -> str:
    """Its IPv4 address, without the length of the prefix."""
    return host.address.partition("/")[0]


@contextlib.contextmanager
def serving(hosts: Hosts, directory: Path, file_bytes: int = FILE_BYTES) -> Iterator[None]:
    """A web server and an iperf3 server on the host outside, for as long as the block runs."""
    served = directory / "www"
    served.mkdir()
    (served / FILE_NAME).write_bytes(os.urandom(file_bytes))
    to = address(hosts.outside)
    web = [sys.executable, "-m", "http.server", str(HTTP_PORT), "--bind", to]
    web += ["--directory", str(served)]
    iperf = [tool("iperf3"), "-s", "-p", str(IPERF_PORT), "-B", to, "--forceflush"]
    with contextlib.ExitStack() as stack:
        for words in (web, iperf):
            stack.enter_context(running(hosts.outside, words, directory))
        for port in (HTTP_PORT, IPERF_PORT):
            _await_listener(hosts.outside, port)
        yield


def ping(hosts: Hosts, say: Say, count: int = 5) -> None:
    """All of them have to come back."""
    to = address(hosts.outside)
    words = [tool("ping"), "-n", "-c", str(count), "-i", "0.2", "-W", "2", to]
    answer = hosts.inside.run(*words)
    received = re.search(r"(\d+) received", answer)
    took = re.search(r"= [\d.]+/([\d.]+)/", answer)
    if received is None or int(received.group(1)) != count or took is None:
        raise DemoError(f"of {count} pings to {to} not all came back:\n{answer}")
    say(f"ping {to}: {count} of {count} answered, {float(took.group(1)):.2f} ms on average")


def download(hosts: Hosts, say: Say, directory: Path) -> None:
    """What arrives has to be what was served, byte by byte."""
    url = f"http://{address(hosts.outside)}:{HTTP_PORT}/{FILE_NAME}"
    got = directory / "got"
    words = ["-sS", "--fail", "--max-time", "60", "-o", str(got), "-w", "%{speed_download}", url]
    speed = float(hosts.inside.run(tool("curl"), *words, seconds=70))
    if _digest(got) != _digest(directory / "www" / FILE_NAME):
        raise DemoError(f"what came from {url} is not what is served there")
    size = got.stat().st_size
    say(f"curl {url}: {size / 1e6:.2f} MB intact, {speed / 1e6:.0f} MB/s")


def iperf(hosts: Hosts, say: Say, seconds: int) -> None:
    """TCP as fast as it goes, from inside to outside."""
    to = address(hosts.outside)
    words = ["-c", to, "-p", str(IPERF_PORT), "-t", str(seconds), "-J", "--connect-timeout", "3000"]
    report = json.loads(hosts.inside.run(tool("iperf3"), *words, seconds=seconds + 15))
    rate = report["end"]["sum_received"]["bits_per_second"]
    if rate <= 0:
        raise DemoError("iperf3 got nothing across")
    lost = report["end"]["sum_sent"].get("retransmits", 0)
    say(f"iperf3 -t {seconds}: {rate / 1e9:.2f} Gbit/s of TCP, {lost} retransmits")


def knock(hosts: Hosts, say: Say) -> None:
    """Telnet, which the firewall forbids: it may not be answered, not even with a refusal."""
    to = address(hosts.outside)
    words = ["-sS", "--max-time", "1", f"telnet://{to}:{TELNET_PORT}"]
    command = hosts.inside.command(tool("curl"), *words)
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    timed_out = 28  # curl's exit status
    if done.returncode != timed_out:
        raise DemoError(f"telnet to {to} should not have been answered (curl: {done.returncode})")
    say(f"telnet {to}: no answer, as the firewall has it")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def running(host: Host, words: list[str], directory: Path) -> Iterator[None]:
    """A server of a host; it is ended by its own id."""
    with open(directory / "servers.log", "ab") as log:
        server = subprocess.Popen(
            host.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_listener(host: Host, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    pattern = re.compile(rf":{port}\s")
    while not pattern.search(run(host.command("ss", "-Hltn"))):
        if time.monotonic() > deadline:
            raise DemoError(f"nothing listens on port {port} of {host.namespace}")
        time.sleep(0.05)
