# SPDX-License-Identifier: Apache-2.0
"""The packages of Debian 12 that bessd needs, and `build.py setup`, which installs them."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tools import shell

PACKAGES = {
    "ca-certificates": "lets apt and git reach https mirrors",
    "git": "says which files belong to the tree",
    "cmake": "describes the build",
    "ninja-build": "carries it out",
    "ccache": "remembers what was compiled, across modes and clones",
    "g++": "compiles it",
    "pkg-config": "finds DPDK",
    "dpdk-dev": "testpmd, a yardstick",
    "libdpdk-dev": "packet I/O, fib, acl, hash, meter, ip_frag",
    "libgrpc++-dev": "the control API",
    "protobuf-compiler": "the control API's messages",
    "protobuf-compiler-grpc": "the control API's services",
    "libprotobuf-dev": "the control API's messages",
    "libabsl-dev": "status, strings, containers",
    "libspdlog-dev": "logging",
    "libelf-dev": "reads what a plugin says of itself",
    "libpcap-dev": "filters and captures",
    "libnl-3-dev": "interfaces of kernel vports",
    "libnl-route-3-dev": "their names, namespaces and addresses",
    "libgtest-dev": "C++ tests",
    "libgmock-dev": "C++ tests",
    "python3": "the shell and the tests",
    "python3-grpcio": "bessctl's transport",
    "python3-grpc-tools": "bessctl's generated client",
    "python3-protobuf": "bessctl's messages",
    "python3-prompt-toolkit": "bessctl's line editor",
    "python3-matplotlib": "the bench's pictures",
    "python3-rich": "bessctl's tables and live view",
    "python3-pytest": "Python tests",
    "python3-scapy": "packets in tests",
    "iproute2": "network namespaces in tests and kernel vports",
    "iperf3": "TCP load in tests",
    "ethtool": "offload settings of test interfaces",
    "tcpdump": "captures in tests",
    "iputils-ping": "ping in tests",
    "curl": "reads the metrics endpoint in tests",
    "valgrind": "counts instructions of the packet path",
    "clang-format": "lint: C++ layout",
    "clang-tidy": "lint: C++ names and habits",
    "mypy": "lint: Python types",
    "black": "lint: Python layout",
}


def missing() -> list[str]:
    """Lists the packages that are not installed, by one question to dpkg."""
    if shutil.which("dpkg-query") is None:
        names = " ".join(PACKAGES)
        raise shell.Failed(f"this is no Debian; what bessd needs there is called: {names}")
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *PACKAGES]
    answer = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    pairs = (line.split() for line in answer.stdout.splitlines())
    there = {pair[0] for pair in pairs if pair[-1] == "installed"}
    return [name for name in PACKAGES if name not in there]


def setup() -> None:
    """Installs what is missing; returns at once when nothing is."""
    needed = missing()
    if not needed:
        shell.say("setup: all packages are installed")
        return
    shell.say("setup: installing")
    for name in needed:
        shell.say(f"  {name}: {PACKAGES[name]}")
    install = ["install", "-y", "--no-install-recommends", *needed]
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "Acquire::Retries=3"]
    rights = as_root([*apt[2:], *install])
    for step in (["update"], install):
        if shell.run([*rights, *apt, *step]) != 0:
            raise shell.Failed(f"apt-get {step[0]} failed; its message is above")
    if missing():
        raise shell.Failed(f"still missing after apt-get: {' '.join(missing())}")


def as_root(wanted: list[str]) -> list[str]:
    """Says what to put in front of a command so that root runs it, or why nobody can."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        if subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
            return ["sudo", "-n"]
        if sys.stdin.isatty():
            return ["sudo"]
    command = " ".join(wanted)
    raise shell.Failed(f"packages are missing and only root can install them. Run:\n  {command}")
