#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records inside.pcap and outside.pcap anew, as root: what each of two hosts sends through live.bess.

The captures hold ARP, ICMP, UDP, one TCP connection from SYN to FIN, and some IPv6. NAT has one port
meanwhile, as it has when they are replayed, so that the answers fit the questions then too.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from besslang import Script, execute  # noqa: E402
from demo import traffic  # noqa: E402
from demo.daemon import Daemon  # noqa: E402
from demo.errors import DemoError  # noqa: E402
from demo.hosts import Host, Hosts, check_tools, tool  # noqa: E402

FILE_BYTES = 24_000
MOST_BYTES = 100_000
UDP_PORT = 7
ECHO = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
while True:
    data, peer = server.recvfrom(2048)
    server.sendto(data.upper(), peer)
"""
ASK = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
for size in (18, 100, 1000):
    client.sendto(b"a" * size, (sys.argv[1], int(sys.argv[2])))
    assert client.recv(2048) == b"A" * size
"""


@contextlib.contextmanager
def recording(host: Host, file: Path) -> Iterator[None]:
    """Writes what the host sends, and nothing that it receives."""
    options = ["-i", "eth0", "-Q", "out", "-U", "-n", "-Z", "root", "-w", str(file)]
    recorder = subprocess.Popen(
        host.command(tool("tcpdump"), *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while not file.exists() or file.stat().st_size == 0:
        if recorder.poll() is not None or time.monotonic() > deadline:
            raise DemoError("tcpdump did not start")
        time.sleep(0.05)
    try:
        yield
        time.sleep(1)  # tcpdump is handed packets with some delay
    finally:
        recorder.terminate()
        recorder.wait()


def talk(hosts: Hosts, scratch: Path) -> None:
    """A little of everything."""
    server = traffic.address(hosts.outside)
    for host, nobody in ((hosts.inside, "10.0.0.77"), (hosts.outside, "198.51.100.77")):
        ping = host.command(tool("ping"), "-c", "1", "-W", "1", nobody)
        subprocess.run(ping, stdout=subprocess.DEVNULL, check=False)
    traffic.ping(hosts, print, count=3)
    with traffic.running(
        hosts.outside, [sys.executable, "-c", ECHO, server, str(UDP_PORT)], scratch
    ):
        time.sleep(0.5)
        hosts.inside.run(sys.executable, "-c", ASK, server, str(UDP_PORT))
    traffic.download(hosts, print, scratch)
    traffic.knock(hosts, print)
    ping6 = hosts.inside.command(tool("ping"), "-6", "-c", "3", "-i", "0.2", "-W", "1")
    subprocess.run([*ping6, hosts.inside.gateway6], stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    """Records both; the old captures stay if something goes wrong."""
    check_tools("ip", "ethtool", "ping", "curl", "tcpdump", "iperf3")
    with tempfile.TemporaryDirectory(prefix="bess-record-") as name, Hosts() as hosts:
        scratch = Path(name)
        variables = {
            "INSIDE": hosts.vdev(hosts.inside, "af_packet"),
            "OUTSIDE": hosts.vdev(hosts.outside, "af_packet"),
            "PORTS": "1",
        }
        files = {scratch / "inside.pcap": hosts.inside, scratch / "outside.pcap": hosts.outside}
        with Daemon() as daemon, traffic.serving(hosts, scratch, FILE_BYTES):
            execute(Script.parse(HERE / "live.bess"), daemon.client(), variables)
            with contextlib.ExitStack() as recordings:
                for file, host in files.items():
                    recordings.enter_context(recording(host, file))
                talk(hosts, scratch)
        for file in files:
            if file.stat().st_size > MOST_BYTES:
                raise DemoError(
                    f"{file.name} got {file.stat().st_size} bytes; {MOST_BYTES} are enough"
                )
            (HERE / file.name).write_bytes(file.read_bytes())
            print(f"{HERE / file.name}: {file.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        sys.exit(f"record_capture: {error}")
