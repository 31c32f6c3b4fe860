# SPDX-License-Identifier: Apache-2.0
"""Instructions a packet costs in each scenario, as callgrind counts them.

They repeat exactly, whatever else the machine does, so they tell of changes that times on a busy
machine cannot.
"""
from __future__ import annotations

import re
import tempfile
from pathlib import Path

import forwarding
from demo.daemon import program
from figures import Figure, Settings
from forwarding import Scenario
from worker_clock import pause

PATIENCE_SECONDS = 300.0
# What a worker does for packets, from choosing a task to its accounts; not how it waits.
COUNTED = "bess::Worker::RunLeaf*"


def measure(settings: Settings) -> list[Figure]:
    """One figure a scenario, from one run."""
    if "avx512f" in Path("/proc/cpuinfo").read_text() and "portable" not in program():
        raise SystemExit(
            "valgrind knows no AVX-512, which this CPU has; let it run a build without: "
            "./build.py build --portable, then "
            "BESSD=build/release-portable/bessd bench/bench.py instructions"
        )
    return [
        Figure(x.name, "instructions/packet", [count(x, settings.seconds)], less_is_better=True)
        for x in forwarding.scenarios()
    ]


def count(scenario: Scenario, seconds: float) -> float:
    """Instructions of the worker, over packets."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "callgrind.out"
        front = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        front += ["--collect-atstart=no", f"--toggle-collect={COUNTED}"]
        with forwarding.prepared(scenario, front, PATIENCE_SECONDS) as (_, client):
            client.resume_all()
            pause(seconds)
            client.pause_all()
            packets = client.get_ledger().totals.consumed
        total = re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)
    if total is None or packets == 0:
        raise SystemExit(f"callgrind counted nothing of {scenario.name}")
    instructions = int(total.group(1))
    return instructions / float(packets)
