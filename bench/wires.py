# SPDX-License-Identifier: Apache-2.0
"""Pairs of network devices in a namespace of a bench's own."""

import contextlib
import os
import subprocess
from collections.abc import Iterator

from demo.hosts import run, tool


@contextlib.contextmanager
def wires(*pairs: tuple[str, str]) -> Iterator[tuple[str, ...]]:
    """What is sent by one device of a pair comes in by the other. Gives how to run programs there."""
    name = f"bess-bench-{os.getpid()}"
    inside = [tool("ip"), "-n", name]
    run([tool("ip"), "netns", "add", name])
    try:
        for one, other in pairs:
            run([*inside, "link", "add", "name", one, "type", "veth", "peer", "name", other])
            for device in (one, other):
                run([*inside, "link", "set", "dev", device, "addrgenmode", "none", "up"])
        yield (tool("ip"), "netns", "exec", name)
    finally:
        subprocess.run([tool("ip"), "netns", "del", name], check=False)
