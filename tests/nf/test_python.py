# SPDX-License-Identifier: Apache-2.0
"""The library in Python, at a real port: what it must withstand besides what the examples do."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import eventually
from demo.daemon import Daemon
from pybess import BESS

import bessnf

LENGTH = 100
QUEUES = 2


class Place:
    """A port `nf` with as many queues each way; what comes from it ends in a sink."""

    def __init__(self, client: BESS, directory: Path) -> None:
        self.client = client
        self.path = str(directory / "nf.sock")
        client.create_port(
            "NFPort",
            "nf",
            {
                "path": self.path,
                "uids": [os.geteuid()],
                "num_inc_q": QUEUES,
                "num_out_q": QUEUES,
            },
        )
        client.create_module("Sink", "sink", {})
        for queue in range(QUEUES):
            client.create_module("QueueInc", f"in{queue}", {"port": "nf", "qid": queue})
            client.connect_modules(f"in{queue}", "sink")

    def feed(self, queue: int) -> None:
        """Lets packets that have the queue's number everywhere go to it, as many as it takes."""
        template = bytes([queue]) * LENGTH
        for mclass, name, argument in (
            ("Source", f"source{queue}", {}),
            ("Rewrite", f"rewrite{queue}", {"templates": [template]}),
            ("QueueOut", f"out{queue}", {"port": "nf", "qid": queue}),
        ):
            self.client.create_module(mclass, name, argument)
        self.client.connect_modules(f"source{queue}", f"rewrite{queue}")
        self.client.connect_modules(f"rewrite{queue}", f"out{queue}")

    def received(self) -> int:
        """Packets that came from its functions."""
        return int(self.client.get_port_stats("nf").inc.packets)

    def count(self, event: str) -> int:
        """How often something became of the port's functions."""
        (nf,) = self.client.list_nfs(["nf"]).ports
        return int(getattr(nf.events, event))


@pytest.fixture(name="place")
def made_place(client: BESS, public_directory: Path) -> Iterator[Place]:
    """At the end, no function may have broken a rule."""
    place = Place(client, public_directory)
    yield place
    assert place.count("violated") == 0


@pytest.fixture(name="restless")
def threads_that_take_turns_often() -> Iterator[None]:
    """The interpreter lets another thread run as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_each_thread_gets_packets_of_its_own(place: Place) -> None:
    """Two threads at two queues: neither sees what the other received."""
    seen = [0] * QUEUES
    strange: list[str] = []
    end = time.monotonic() + 3

    def run(nf: bessnf.NetworkFunction, queue: int) -> None:
        wanted = bytes([queue]) * LENGTH
        while time.monotonic() < end and not strange:
            packets = nf.receive(queue)
            strange.extend(repr(x) for x in map(bytes, packets) if x != wanted)
            nf.send(packets, queue)
            seen[queue] += len(packets)

    with bessnf.attach(place.path) as nf:
        for queue in range(QUEUES):
            place.feed(queue)
        threads = [threading.Thread(target=run, args=(nf, queue)) for queue in range(QUEUES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not strange
    assert min(seen) > 1000


def test_what_does_not_fit_leaves_nothing_behind(place: Place) -> None:
    good = [b"x" * 60] * 10
    bad: list[list[object]] = [[*good, b"x" * 5000], [*good, 5], [*good, "text"]]
    with bessnf.attach(place.path) as nf:
        for contents in bad * 20:
            with pytest.raises((ValueError, TypeError)):
                nf.make(contents)  # type: ignore[arg-type]
            statistics = nf.statistics()
            assert statistics.allocated == statistics.freed > 0
        assert nf.send(nf.make(good)) == len(good)


def test_mistakes_are_errors(place: Place) -> None:
    nf = bessnf.attach(place.path)
    packets = nf.make([b"x" * 60])
    calls: list[Callable[[int], object]] = [
        nf.receive,
        lambda queue: nf.wait(queue, 0),
        lambda queue: nf.send(packets, queue),
        lambda queue: nf.free(packets, queue),
        lambda queue: nf.make([b"x" * 60], queue),
    ]
    for call in calls:
        for queue in (QUEUES, 16, 2**32, -1):
            with pytest.raises(ValueError, match=f"no queue {queue} to"):
                call(queue)
    assert nf.send(packets) == 1
    nf.detach()
    nf.detach()
    for call in [*calls, lambda _: nf.statistics(), lambda _: nf.reattach(0)]:
        with pytest.raises(ValueError, match="detached"):
            call(0)
    assert eventually(lambda: place.count("detached") == 1)


def test_who_is_forgotten_is_detached(place: Place) -> None:
    for _ in range(5):
        nf = bessnf.attach(place.path)
        assert nf.statistics().attachments == 1
        del nf
    assert eventually(lambda: place.count("detached") == 5)
    assert place.count("died") == 0


def make(nf: bessnf.NetworkFunction, wanted: int) -> list[bessnf.Packet]:
    """So many packets, as soon as the switch has given buffers for them."""
    made: list[bessnf.Packet] = []

    def complete() -> bool:
        made.extend(nf.make([b"m" * 60] * (wanted - len(made))))
        return len(made) == wanted

    assert eventually(complete)
    return made


def test_packets_do_not_outlive_their_attachment(place: Place) -> None:
    """What is kept while the switch takes everything back is of no harm to what it gives next."""
    with bessnf.attach(place.path) as nf:
        for number in range(1, 6):
            freed, sent = make(nf, 20), make(nf, 20)
            before = nf.statistics()
            nf.reattach(20)
            nf.free(freed)
            assert nf.send(sent) == 20, "none is left to be sent"
            after = nf.statistics()
            assert (after.sent, after.freed) == (before.sent, before.freed)
            for _ in range(20):
                assert nf.send(make(nf, 10)) == 10
            assert eventually(lambda n=number: place.received() == 200 * n)  # type: ignore


def test_reattaching_keeps_its_time(place: Place, daemon: Daemon) -> None:
    """Also when the switch's kernel takes the connection, but the switch stands still."""
    with bessnf.attach(place.path) as nf:
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            start = time.monotonic()
            with pytest.raises(TimeoutError, match="no welcome"):
                nf.reattach(0.5)
            assert 0.5 <= time.monotonic() - start < 3
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        nf.reattach(20)
        assert nf.receive() == []


def test_a_port_of_another_kind_never_answers(client: BESS, public_directory: Path) -> None:
    path = str(public_directory / "unix.sock")
    client.create_port("UnixSocketPort", "unix", {"path": path})
    os.chmod(path, 0o777)
    with pytest.raises(TimeoutError, match="no welcome"):
        bessnf.attach(path)
