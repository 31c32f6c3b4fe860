# SPDX-License-Identifier: Apache-2.0
"""How long a packet takes through eight modules: 99 of 100 packets, one by one and in batches."""
from __future__ import annotations

from typing import Any

from bounded import fresh_daemon, set_burst
from figures import Figure, Settings
from worker_clock import pause

MODULES = 8
BURSTS = {"one packet a batch": 1, "32 packets a batch": 32}
HISTOGRAM = {"latency_ns_resolution": 10, "latency_ns_max": 10_000_000}
REACH = 1000  # ns


def measure(settings: Settings) -> list[Figure]:
    """From the module that takes the time to the one that reads it."""
    figures = []
    with fresh_daemon("--idle=spin") as (_, client):
        client.pause_all()
        build(client)
        client.resume_all()
        for label, burst in BURSTS.items():
            set_burst(client, "source", burst)
            found = [p99(client, settings.seconds) for _ in range(settings.repetitions)]
            name = f"{MODULES} modules, {label}"
            figures.append(Figure(name, "ns p99", found, REACH, less_is_better=True))
    return figures


def build(client: Any) -> None:
    """A chain."""
    client.create_module("Source", "source")
    client.create_module("Timestamp", "start")
    names = ["source", "start"]
    for number in range(MODULES):
        names.append(client.create_module("Bypass", f"module{number}").name)
    client.create_module("Measure", "end", HISTOGRAM)
    client.create_module("Sink", "sink")
    names += ["end", "sink"]
    for sender, receiver in zip(names, names[1:]):
        client.connect_modules(sender, receiver)


def p99(client: Any, seconds: float) -> float:
    """Nanoseconds."""
    client.run_module_command("end", "clear", "EmptyArg", {})
    pause(seconds)
    asked = "MeasureCommandGetSummaryArg", {"latency_percentiles": [99]}
    summary = client.run_module_command("end", "get_summary", *asked)
    return float(summary.latency.percentile_values_ns[0])
