# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say, as processes of an ordinary user, each at a port of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from besslang import Script, execute
from conftest import REPO, Start, eventually
from demo.daemon import Daemon
from demo.errors import DemoError
from frames import udp
from pybess import BESS
from pybess.errors import RPCError
from scapy.all import IP, Ether  # type: ignore[attr-defined]
from users import NOBODY

import bessnf


class Bench:
    """A port `nf` for the function under test, and one by which the test sends to it and hears."""

    def __init__(self, client: BESS, directory: Path, **arguments: object) -> None:
        self.client = client
        self.path = str(directory / "nf.sock")
        own = str(directory / "test.sock")
        uids = [os.geteuid()]
        client.create_port("NFPort", "test", {"path": own, "uids": uids})
        client.create_port("NFPort", "nf", {"path": self.path, **arguments})
        for name, mclass, port in (
            ("from_test", "PortInc", "test"),
            ("to_nf", "PortOut", "nf"),
            ("from_nf", "PortInc", "nf"),
            ("to_test", "PortOut", "test"),
        ):
            client.create_module(mclass, name, {"port": port})
        client.connect_modules("from_test", "to_nf")
        client.connect_modules("from_nf", "to_test")
        self.test = bessnf.attach(own, "test")

    def attached(self) -> bool:
        """Whether there is a function."""
        return bool(self.client.get_link_status("nf").link_up)

    def exchange(self, frames: list[bytes], wanted: int) -> list[bytes]:
        """Sends frames to the function and returns what it sends, as many as are wanted."""
        assert eventually(self.attached)
        assert self.test.send(self.test.make(frames)) == len(frames)
        heard: list[bytes] = []
        while len(heard) < wanted and self.test.wait(timeout=20):
            packets = self.test.receive()
            heard += [bytes(packet) for packet in packets]
            self.test.free(packets)
        return heard


@pytest.fixture
def bench(client: BESS, public_directory: Path) -> Iterator[Bench]:
    """An isolated function's port."""
    made = Bench(client, public_directory)
    yield made
    made.test.detach()


FRAMES = [udp("10.0.0.1:1000", "10.0.0.2:80", payload=bytes([i]) * 40) for i in range(50)]


@pytest.mark.parametrize("name", ["forwarder", "forwarder.py"])
def test_forwarder(bench: Bench, start: Start, name: str) -> None:
    start(name, bench.path)
    assert bench.exchange(FRAMES, 50) == FRAMES


def test_trusted_forwarder(client: BESS, public_directory: Path, start: Start) -> None:
    bench = Bench(client, public_directory, trusted=True)
    start("forwarder", bench.path)
    assert bench.exchange(FRAMES, 50) == FRAMES
    bench.test.detach()


def test_ttl(bench: Bench, start: Start) -> None:
    start("ttl", bench.path)
    sent = [udp("10.0.0.1:1", "10.0.0.2:2", ttl=ttl) for ttl in (64, 1, 0, 2, 255)]
    other = b"\xff" * 12 + b"\x88\xb5" + b"x" * 46
    heard = bench.exchange([*sent, other], 4)
    assert heard[3] == other
    assert [Ether(x)[IP].ttl for x in heard[:3]] == [63, 1, 254]
    for frame in heard[:3]:
        packet = Ether(frame)
        packet[IP].chksum = None
        assert bytes(packet) == frame, "the checksum is wrong"


def test_firewall(bench: Bench, start: Start) -> None:
    start("firewall", bench.path, "53", "22")
    sent = [udp("10.0.0.1:53", f"10.0.0.2:{port}") for port in (53, 80, 22, 2200)]
    arp = b"\xff" * 12 + b"\x08\x06" + b"x" * 46
    short = sent[1][:36]
    assert bench.exchange([*sent, short, arp], 3) == [sent[1], sent[3], arp]


def test_monitor(bench: Bench, start: Start) -> None:
    monitor = start("monitor", bench.path)
    assert bench.exchange(FRAMES, 50) == FRAMES
    assert monitor.stdout is not None
    wanted = f"ipv4 50 packets {sum(len(x) for x in FRAMES)} bytes\n"
    assert any(line == wanted for _, line in zip(range(40), monitor.stdout))


def test_generator(client: BESS, public_directory: Path, start: Start) -> None:
    path = str(public_directory / "nf.sock")
    client.create_port("NFPort", "nf", {"path": path})
    client.create_module("PortInc", "from_nf", {"port": "nf"})
    client.create_module("Sink", "sink", {})
    client.connect_modules("from_nf", "sink")
    generator = start("generator", path, "100000")
    assert generator.wait(60) == 0
    assert generator.stdout is not None and generator.stdout.read() == "sent 100000\n"
    stats = client.get_port_stats("nf")
    assert (stats.inc.packets, stats.inc.bytes, stats.inc.dropped) == (100000, 6000000, 0)


def test_wrong_use_is_explained(start: Start, public_directory: Path) -> None:
    nowhere = str(public_directory / "nowhere")
    for name in ("forwarder", "ttl", "monitor", "firewall", "generator"):
        more = ["1"] if name == "generator" else []
        process = start(name, nowhere, *more)
        assert process.wait(20) == 1 and process.stdout is not None
        assert f"cannot connect at {nowhere}: No such file" in process.stdout.read()


def test_chain(client: BESS, public_directory: Path, start: Start) -> None:
    """The sample: what its comments say about where packets go."""
    script = Script.parse(REPO / "sample_conf" / "nf_chain.bess")
    client.pause_all()
    execute(script, client, {"DIR": str(public_directory), "RATE": "5000"})
    functions = [["monitor"], ["firewall", "53"], ["ttl"], ["forwarder"], ["forwarder.py"]]
    for i, (name, *arguments) in enumerate(functions):
        start(name, f"{public_directory}/nf{i}", *arguments)
        assert eventually(lambda i=i: client.get_link_status(f"nf{i}").link_up)  # type: ignore
    client.resume_all()

    def packets(i: int) -> int:
        return int(client.get_port_stats(f"nf{i}").inc.packets)

    assert eventually(lambda: packets(4) > 1000)
    client.pause_all()
    assert packets(1) / packets(0) == pytest.approx(0.75, abs=0.1)
    assert packets(2) / packets(1) == pytest.approx(2 / 3, abs=0.1)
    assert packets(4) / packets(3) == pytest.approx(1, abs=0.1)
    client.resume_all()


def test_killed_functions_come_back(bench: Bench, start: Start) -> None:
    for i in range(20):
        forwarder = start("forwarder", bench.path)
        frames = FRAMES[: i + 1]
        assert bench.exchange(frames, len(frames)) == frames
        forwarder.send_signal(signal.SIGKILL)
        forwarder.wait()
        assert eventually(lambda: not bench.attached())
    (nf,) = bench.client.list_nfs(["nf"]).ports
    assert (nf.events.attached, nf.events.died) == (20, 20)


def test_show_nf(bench: Bench, daemon: Daemon, start: Start) -> None:
    forwarder = start("forwarder", bench.path)
    assert eventually(bench.attached)
    shown = subprocess.run(
        [str(REPO / "bessctl" / "bessctl"), "show", "nf", "nf"],
        env={**os.environ, "BESS_GRPC_URL": daemon.address, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for words in (f"(pid {forwarder.pid}, uid", "isolated", "attached 1"):
        assert words in shown
    with pytest.raises(RPCError, match="port 'nothing'"):
        bench.client.list_nfs(["nothing"])


def test_functions_outlive_the_daemon(public_directory: Path, start: Start) -> None:
    """A daemon is killed, and another takes its place; the function attaches again by itself."""
    uids = [NOBODY, os.geteuid()]
    with pytest.raises(DemoError, match="status -9"), Daemon(directory=public_directory) as first:
        bench = Bench(first.client(), public_directory, uids=uids)
        start("forwarder", bench.path)
        assert bench.exchange(FRAMES, 50) == FRAMES
        bench.test.detach()
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with Daemon(directory=public_directory) as second:
        bench = Bench(second.client(), public_directory, uids=uids)
        assert bench.exchange(FRAMES, 50) == FRAMES
        bench.test.detach()
