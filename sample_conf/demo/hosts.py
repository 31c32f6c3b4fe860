# SPDX-License-Identifier: Apache-2.0
"""Two hosts on this machine: network namespaces, each with one interface whose other end is bessd's.

Everything has this process's id in its name, and goes away by that name.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Sequence

from demo.errors import DemoError

SECONDS = 20
PACKAGES = {
    "ip": "iproute2",
    "ethtool": "ethtool",
    "ping": "iputils-ping",
    "curl": "curl",
    "iperf3": "iperf3",
    "tcpdump": "tcpdump",
}
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Host:
    """One host: its namespace, the end of its wire that bessd takes, and who it is."""

    namespace: str
    port: str
    mac: str
    address: str
    gateway: str
    gateway_mac: str
    address6: str
    gateway6: str

    def command(self, *words: str) -> list[str]:
        """A command line that runs on this host."""
        return [tool("ip"), "netns", "exec", self.namespace, *words]

    def run(self, *words: str, seconds: float = SECONDS) -> str:
        """Runs a command on this host and returns what it printed."""
        return run(self.command(*words), seconds)


class Hosts:
    """Both hosts, from `with` to its end. sample_conf/live.bess knows their addresses."""

    def __init__(self) -> None:
        pid = os.getpid()
        self.inside = Host(
            namespace=f"bess-inside-{pid}",
            port=f"bin{pid}",
            mac="02:00:00:00:01:02",
            address="10.0.0.2/24",
            gateway="10.0.0.1",
            gateway_mac="02:00:00:00:01:01",
            address6="fd00:1::2/64",
            gateway6="fd00:1::1",
        )
        self.outside = Host(
            namespace=f"bess-outside-{pid}",
            port=f"bout{pid}",
            mac="02:00:00:00:02:02",
            address="198.51.100.2/24",
            gateway="198.51.100.1",
            gateway_mac="02:00:00:00:02:01",
            address6="fd00:2::2/64",
            gateway6="fd00:2::1",
        )

    def __enter__(self) -> "Hosts":
        try:
            for host in (self.inside, self.outside):
                _make(host)
            _ip("-n", self.inside.namespace, "route", "add", "default", "via", self.inside.gateway)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._remove()

    def vdev(self, host: Host, driver: str) -> str:
        """DPDK's name for bessd's end of a host's wire. Its default ring is short for a busy machine."""
        ring = ",blocksz=65536,framesz=2048,framecnt=4096" if driver == "af_packet" else ""
        return f"net_{driver}_{host.port},iface={host.port}{ring}"

    def _remove(self) -> None:
        """Takes away what there is; what was never made is no error."""
        for host in (self.inside, self.outside):
            for words in (["link", "del", host.port], ["netns", "del", host.namespace]):
                subprocess.run([tool("ip"), *words], capture_output=True, check=False)


def _make(host: Host) -> None:
    """Makes a namespace and its wire.

    Nobody answers ARP on bessd's side, so the gateway's MAC address is set for good. Checksums are
    computed by the sender: a veth would leave them to a network card that is not there. Without
    link-local addresses the kernel says nothing by itself that the books would then show.
    """
    space = host.namespace
    try:
        _ip("netns", "add", space)
    except DemoError as error:
        raise DemoError(f"{error}\n(--replay needs neither namespaces nor rights)") from None
    there = ["name", "eth0", "address", host.mac, "netns", space]
    _ip("link", "add", host.port, "type", "veth", "peer", *there)
    _ip("link", "set", host.port, "addrgenmode", "none")
    _ip("-n", space, "link", "set", "eth0", "addrgenmode", "none")
    for device, where in ((host.port, ()), ("eth0", ("ip", "netns", "exec", space))):
        run([*where, tool("ethtool"), "-K", device, "tx", "off"])
    _ip("link", "set", host.port, "up")
    _ip("-n", space, "link", "set", "lo", "up")
    _ip("-n", space, "link", "set", "eth0", "up")
    _ip("-n", space, "address", "add", host.address, "dev", "eth0")
    _ip("-n", space, "-6", "address", "add", host.address6, "dev", "eth0", "nodad")
    for gateway in (host.gateway, host.gateway6):
        known = ["lladdr", host.gateway_mac, "nud", "permanent", "dev", "eth0"]
        _ip("-n", space, "neigh", "add", gateway, *known)


def check_tools(*names: str) -> None:
    """Fails with the packages to install when one of these programs is missing."""
    missing = [name for name in names if _find(name) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise DemoError(
            f"{', '.join(missing)} not found: apt-get install {packages} (or ./build.py setup)"
        )


def tool(name: str) -> str:
    """The path of a program that has to be there."""
    found = _find(name)
    if found is None:
        raise DemoError(f"{name} not found: apt-get install {PACKAGES[name]}")
    return found


def _find(name: str) -> str | None:
    return shutil.which(name, path=SYSTEM_PATH) or shutil.which(name)


def _ip(*words: str) -> str:
    return run([tool("ip"), *words])


def run(command: Sequence[str], seconds: float = SECONDS) -> str:
    """Runs a command for a bounded time; its failure is a sentence with what it said."""
    shown = " ".join(
        os.path.basename(word) if word.startswith("/usr") else word for word in command
    )
    try:
        done: Any = subprocess.run(
            list(command), capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise DemoError(f"`{shown}` was not done after {seconds:.0f} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise DemoError(f"`{shown}` failed: {said}")
    return str(done.stdout)
