# SPDX-License-Identifier: Apache-2.0
"""The capture hooks: what comes out of the named pipe, and that traffic does not mind."""

import io
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from demo.daemon import Daemon
from pybess import BESS
from pybess.errors import Error
from scapy.all import ICMP, IP, UDP, Ether, PcapNgReader, PcapReader, wrpcap

FRAMES = [
    bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(dst="192.0.2.1") / payload)
    for payload in (ICMP(), UDP(sport=1, dport=2) / ("x" * 1000), UDP() / ("y" * 1400))
] * 20


class Reader:
    """Reads a FIFO on a thread, `pace` seconds between reads."""

    def __init__(self, fifo: Path, pace: float = 0.0):
        self.pace = pace
        self.bytes = b""
        self._fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                got = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                got = b""
            self.bytes += got
            time.sleep(self.pace if got else 0.01)

    def close(self) -> None:
        """Leaves the FIFO."""
        self._stop.set()
        self._thread.join()
        os.close(self._fd)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.fixture
def reader(fifo: Path) -> Iterator[Reader]:
    """Somebody who reads it."""
    reading = Reader(fifo)
    yield reading
    reading.close()


def wait_until(reached: Callable[[], bool], what: str) -> None:
    """Waits for up to ten seconds."""
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def hooks(client: BESS) -> list[tuple[str, str]]:
    """Class and module of each hook but Track."""
    listed = client.list_gatehooks().hooks
    return [(h.class_name, h.module_name) for h in listed if h.class_name != "Track"]


def counters(client: BESS, module: str, name: str) -> Any:
    """What a capture says of itself."""
    return client.run_gatehook_command(name, module, "out", 0, "get_counters", "EmptyArg", {})


def captured(client: BESS, module: str) -> int:
    """How many packets its capture has written."""
    return int(counters(client, module, "tap").captured)


def consumed(client: BESS) -> int:
    """How many packets have come to their end."""
    return int(client.get_ledger().totals.consumed)


def replay(client: BESS, tmp_path: Path) -> None:
    """in -> pass -> back -> out, with the frames of a file; paused."""
    wrpcap(str(tmp_path / "in.pcap"), [Ether(frame) for frame in FRAMES])
    client.pause_all()
    client.create_port("PMDPort", "p", {"vdev": f"net_pcap_c,rx_pcap={tmp_path}/in.pcap"})
    client.create_module("PortInc", "in", {"port": "p"})
    attribute = {"name": "color", "size": 2, "value_int": 5}
    client.create_module("SetMetadata", "pass", {"attrs": [attribute]})
    client.create_module("Split", "back", {"attribute": "color", "size": 2})
    client.create_module("Sink", "out")
    client.connect_modules("in", "pass")
    client.connect_modules("pass", "back")
    client.connect_modules("back", "out", 5)


def full_speed(client: BESS) -> None:
    """src -> out."""
    client.create_module("Source", "src")
    client.create_module("Sink", "out")
    client.connect_modules("src", "out")


def test_tcpdump_reads_what_passed(
    client: BESS, fifo: Path, reader: Reader, tmp_path: Path
) -> None:
    replay(client, tmp_path)
    client.tcpdump_gate(True, "tap", "pass", "in", 0, fifo=str(fifo))
    client.resume_all()
    size = 24 + sum(16 + len(frame) for frame in FRAMES)
    wait_until(lambda: len(reader.bytes) == size, "the capture did not come")
    assert [bytes(p) for p in PcapReader(io.BytesIO(reader.bytes))] == FRAMES
    shown = subprocess.run(
        ["tcpdump", "-nr", "-"], input=reader.bytes, capture_output=True, check=True
    ).stdout.decode()
    assert shown.count("192.0.2.1") == len(FRAMES)
    client.tcpdump_gate(False, "tap", "pass", "in", 0)
    assert hooks(client) == []


def test_pcapng_has_the_attributes_as_comments(
    client: BESS, fifo: Path, reader: Reader, tmp_path: Path
) -> None:
    replay(client, tmp_path)
    client.pcapng_gate(True, "tap", "pass", "out", 0, fifo=str(fifo))
    client.resume_all()
    wait_until(lambda: captured(client, "pass") == len(FRAMES), "not captured")
    client.pcapng_gate(False, "tap", "pass", "out", 0)
    time.sleep(0.1)
    packets = list(PcapNgReader(io.BytesIO(reader.bytes)))
    assert [bytes(p) for p in packets] == FRAMES
    assert reader.bytes.count(b"color=0005") == len(FRAMES)
    assert abs(float(packets[0].time) - time.time()) < 60


def test_one_request_for_all_gates_writes_one_file(
    client: BESS, fifo: Path, reader: Reader, tmp_path: Path
) -> None:
    replay(client, tmp_path)
    client.tcpdump_gate(True, "tap", "", "out", -1, fifo=str(fifo))
    assert sorted(hooks(client)) == [("TcpDump", "back"), ("TcpDump", "in"), ("TcpDump", "pass")]
    client.resume_all()
    size = 24 + 3 * sum(16 + len(frame) for frame in FRAMES)
    wait_until(lambda: len(reader.bytes) == size, "the capture did not come")
    assert len(list(PcapReader(io.BytesIO(reader.bytes)))) == 3 * len(FRAMES)
    client.tcpdump_gate(False, "tap", "", "out", -1)
    assert hooks(client) == []


def test_traffic_goes_on_and_the_hook_goes_when_the_reader_is_killed(
    client: BESS, fifo: Path
) -> None:
    full_speed(client)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.DEVNULL) as cat:
        wait_until(lambda: try_to_capture(client, fifo), "cat did not open the pipe")
        assert hooks(client) == [("TcpDump", "src")]
        cat.kill()
    wait_until(lambda: hooks(client) == [], "the hook stayed")
    before = consumed(client)
    wait_until(lambda: consumed(client) > before, "the traffic stopped")
    client.pause_all()
    totals = client.get_ledger().totals
    assert totals.dropped == 0 and totals.unaccounted == 0


def try_to_capture(client: BESS, fifo: Path) -> bool:
    """Whether somebody has opened the pipe by now."""
    try:
        client.tcpdump_gate(True, "tap", "src", "out", 0, fifo=str(fifo))
    except Error:
        return False
    return True


def test_a_slow_reader_costs_no_traffic(client: BESS, fifo: Path) -> None:
    reader = Reader(fifo, pace=0.01)
    full_speed(client)
    client.tcpdump_gate(True, "tap", "src", "out", 0, fifo=str(fifo))
    wait_until(lambda: int(counters(client, "src", "tap").passed) > 1_000_000, "too slow")
    client.pause_all()
    totals = client.get_ledger().totals
    assert totals.dropped == 0 and totals.unaccounted == 0
    reader.pace = 0.0

    def settled() -> bool:
        said = counters(client, "src", "tap")
        return bool(said.captured + said.not_captured == said.passed)

    wait_until(settled, "packets are unaccounted for")
    said = counters(client, "src", "tap")
    assert said.not_captured > 0 and said.captured > 0
    size = 24 + int(said.captured) * (16 + 60)
    wait_until(lambda: len(reader.bytes) == size, "bytes are missing")
    client.tcpdump_gate(False, "tap", "src", "out", 0)
    reader.close()


def test_what_is_no_fifo_is_refused(client: BESS, tmp_path: Path) -> None:
    full_speed(client)
    (tmp_path / "file").write_text("keep me", encoding="utf-8")
    os.mkfifo(tmp_path / "unread")
    for name, code in (("file", 22), ("absent", 2), ("unread", 6)):
        with pytest.raises(Error) as caught:
            client.tcpdump_gate(True, "tap", "src", "out", 0, fifo=str(tmp_path / name))
        assert caught.value.code == code and name in caught.value.errmsg
    assert hooks(client) == []
    assert (tmp_path / "file").read_text(encoding="utf-8") == "keep me"


def test_a_daemon_with_captures_ends_cleanly(fifo: Path) -> None:
    reader = Reader(fifo)
    with Daemon() as daemon:
        client = daemon.client()
        full_speed(client)
        client.tcpdump_gate(True, "tap", "src", "out", 0, fifo=str(fifo))
    reader.close()
