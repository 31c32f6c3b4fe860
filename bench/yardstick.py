# SPDX-License-Identifier: Apache-2.0
"""The yardstick: dpdk-testpmd in io mode on net_null, one core, as Debian ships it."""

import re
import shutil
import subprocess
import tempfile

from worker_clock import PATIENCE_SECONDS, await_thread, cpu_seconds, last_core, pause

WARM_UP_SECONDS = 0.3


def command() -> list[str]:
    """Without hugepages and devices, like a bessd that has none; the same number of packets."""
    core = last_core()
    eal = ["--no-huge", "-m", "1024", "--no-pci", "--no-shconf", "--no-telemetry"]
    eal += ["--lcores", f"0@0,1@{core}", "--vdev", "net_null0"]
    options = ["--forward-mode=io", "--nb-cores=1", "--total-num-mbufs=65535"]
    return ["dpdk-testpmd", *eal, "--", *options]


def available() -> bool:
    """Whether the package dpdk-dev is installed."""
    return shutil.which("dpdk-testpmd") is not None


def measure(seconds: float) -> float:
    """Packets per second of CPU time of testpmd's forwarding core.

    It forwards until its input ends; the totals it prints then are of the whole run.
    """
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(
            command(), stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, text=True
        ) as process:
            thread = await_start(process)
            pause(WARM_UP_SECONDS + seconds)
            cpu = cpu_seconds(process.pid, thread)
            process.communicate("\n", timeout=30)
        output.seek(0)
        total = re.findall(r"RX-total: (\d+)", output.read())
    if not total:
        raise RuntimeError("dpdk-testpmd printed no totals")
    return int(total[-1]) / cpu


def await_start(process: "subprocess.Popen[str]") -> int:
    """The id of the forwarding thread once it has begun to forward."""
    thread = await_thread(process.pid, "rte-worker-1")
    for _ in range(PATIENCE_SECONDS * 20):
        if cpu_seconds(process.pid, thread) > 0.05:
            return thread
        pause(0.05)
    raise RuntimeError(f"dpdk-testpmd did not begin to forward within {PATIENCE_SECONDS} s")
