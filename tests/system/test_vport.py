# SPDX-License-Identifier: Apache-2.0
"""Kernel vports: two network namespaces, an interface of the switch's in each. Needs root."""

import ctypes
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from besslang import Script, execute
from demo import books
from demo.daemon import Daemon
from demo.hosts import run
from pybess import BESS, Error
from users import AS_NOBODY

PATIENCE = 60.0
SCRIPT = """
left::VPort(ifname='eth0', netns=$LEFT, ip_addrs=['10.0.0.1/24', 'fd00::1/64'], mtu=1400)
right::VPort(ifname='eth0', netns=$RIGHT, ip_addrs=['10.0.0.2/24', 'fd00::2/64'], mtu=1400)
PortInc(port='left') -> PortOut(port='right')
PortInc(port='right') -> PortOut(port='left')
"""


@pytest.fixture
def spaces() -> Iterator[tuple[str, str]]:
    """Two empty network namespaces, by the names that `ip netns` has for them."""
    names = [f"bess-{side}-{os.getpid()}" for side in ("left", "right")]
    try:
        for name in names:
            run(["ip", "netns", "add", name])
        yield names[0], names[1]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def wired(client: BESS, spaces: tuple[str, str], tmp_path: Path) -> BESS:
    """The two namespaces with the switch between them; one is told by name, the other by path."""
    script = tmp_path / "vports.bess"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {"LEFT": spaces[0], "RIGHT": f"/run/netns/{spaces[1]}"}
    client.pause_all()  # a packet that comes before all is connected would have nowhere to go
    execute(Script.parse(script), client, environment)
    client.resume_all()
    return client


def await_that(holds: Callable[[], object], what: str) -> None:
    """Waits until it holds, however slow the machine is."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def inside(space: str, *words: str) -> str:
    """What a command inside a namespace prints; its failure fails the test."""
    return run(["ip", "netns", "exec", space, *words], seconds=PATIENCE)


def answers(space: str, address: str, *options: str) -> bool:
    """Whether one ping arrives and comes back."""
    ping = ["ping", "-c", "1", "-W", "5", *options, address]
    done = subprocess.run(
        ["ip", "netns", "exec", space, *ping], capture_output=True, timeout=PATIENCE, check=False
    )
    return done.returncode == 0


def links(space: str | None = None) -> list[str]:
    """The names of the interfaces in a namespace, or here."""
    where = ["-n", space] if space else []
    lines = run(["ip", *where, "-o", "link"]).splitlines()
    return [line.split(": ")[1].split("@")[0] for line in lines]


def socket_in(space: str) -> socket.socket:
    """A UDP socket that lives in a namespace; the test itself stays where it is."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{space}", os.O_RDONLY)
    try:
        set_namespace(there)
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    finally:
        set_namespace(here)
        os.close(there)
        os.close(here)
    made.settimeout(PATIENCE)
    return made


def set_namespace(descriptor: int) -> None:
    """setns(2), which Python has from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def test_namespaces_ping_each_other(wired: BESS, spaces: tuple[str, str]) -> None:
    left, right = spaces
    assert "mtu 1400" in inside(left, "ip", "link", "show", "eth0")
    await_that(lambda: answers(left, "10.0.0.2"), "IPv4")
    await_that(lambda: answers(right, "fd00::1"), "IPv6, once its addresses are known to be free")
    await_that(lambda: answers(left, "10.0.0.2", "-s", "1372", "-M", "do"), "a full frame")
    assert links(left) == ["lo", "eth0"]
    wired.pause_all()
    kept = books.read(wired)
    assert kept.add_up, kept
    assert kept.totals.dropped == 0
    stats = {name: wired.get_port_stats(name) for name in ("left", "right")}
    assert stats["left"].inc.packets == stats["right"].out.packets > 0
    assert stats["right"].inc.packets == stats["left"].out.packets > 0


def test_datagrams_arrive_whole_and_in_order(wired: BESS, spaces: tuple[str, str]) -> None:
    with socket_in(spaces[0]) as left, socket_in(spaces[1]) as right:
        left.bind(("10.0.0.1", 0))
        right.bind(("10.0.0.2", 0))
        for number in range(500):
            data = number.to_bytes(2, "big") * (1 + number)
            left.sendto(data, right.getsockname())
            received, sender = right.recvfrom(2048)
            assert received == data and sender == left.getsockname()
            right.sendto(received, sender)
            assert left.recv(2048) == data
    assert wired.get_port_stats("left").inc.dropped == 0


def test_the_interface_goes_with_its_port(wired: BESS, spaces: tuple[str, str]) -> None:
    wired.pause_all()
    wired.reset_all()
    for space in spaces:
        assert links(space) == ["lo"]


def test_the_interface_goes_with_a_daemon_that_is_killed(spaces: tuple[str, str]) -> None:
    before = links()
    with Daemon() as daemon:
        client = daemon.client()
        client.create_port("VPort", "in", arg={"ifname": "eth0", "netns": spaces[0]})
        client.create_port("VPort", "here", arg={"ifname": f"v{os.getpid()}"})
        client.disconnect()
        assert links(spaces[0]) == ["lo", "eth0"]
        assert f"v{os.getpid()}" in links()
        daemon.kill()
        await_that(lambda: links(spaces[0]) == ["lo"], "the one in the namespace goes")
        await_that(lambda: f"v{os.getpid()}" not in links(), "the one here goes")
    assert set(links()) <= set(before)


def test_a_container_is_told_by_its_process(client: BESS, spaces: tuple[str, str]) -> None:
    command = ["ip", "netns", "exec", spaces[0], "cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as container:
        assert container.stdin is not None and container.stdout is not None
        container.stdin.write(b"x")
        container.stdin.flush()
        assert container.stdout.read(1) == b"x", "it is in its namespace by now"
        client.create_port("VPort", "v", arg={"ifname": "eth0", "container_pid": container.pid})
        container.stdin.close()
    assert links(spaces[0]) == ["lo", "eth0"]
    client.destroy_port("v")
    assert links(spaces[0]) == ["lo"]
    with pytest.raises(Error, match=f"there is no process {container.pid}"):
        client.create_port("VPort", "v", arg={"ifname": "eth0", "container_pid": container.pid})


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"ifname": "sixteen--letters"}, "1..15 visible characters"),
        ({"ifname": "lo"}, "there is an interface 'lo' already"),
        ({"netns": "no-such-namespace"}, "network namespace 'no-such-namespace'"),
        ({"ip_addrs": ["10.0.0.1/24", "10.0.0/24"]}, r"ip_addrs\[1\]: '10.0.0'"),
        ({"ip_addrs": ["10.0.0.1/24", "10.0.0.1/24"]}, "the address 10.0.0.1/24"),
        ({"docker": "web"}, "'container_pid' of 'web'"),
        ({"mtu": 1}, "'mtu' must be 68..65521, not 1"),
    ],
)
def test_what_is_refused_leaves_nothing(
    client: BESS, spaces: tuple[str, str], wrong: dict[str, object], said: str
) -> None:
    before = links()
    argument: dict[str, object] = {"ifname": "eth0", **wrong}
    if not {"netns", "docker"} & wrong.keys():
        argument["netns"] = spaces[0]
    with pytest.raises(Error, match=said):
        client.create_port("VPort", "v", arg=argument)
    assert links(spaces[0]) == ["lo"]
    assert set(links()) <= set(before)
    assert not client.list_ports().ports


def test_ordinary_users_are_told_which_right_is_missing(public_directory: Path) -> None:
    with Daemon(front=AS_NOBODY, directory=public_directory) as daemon:
        client = daemon.client()
        with pytest.raises(Error, match="it needs CAP_NET_ADMIN|/dev/net/tun: Permission"):
            client.create_port("VPort", "v", arg={})
        client.disconnect()
