#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each scenario and the yardstick in turn, and prints ratios.

Times on a shared machine mean nothing; the ratio of two programs measured side by side does. Each
repetition measures the yardstick, then every scenario; the figures are medians over repetitions.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import yardstick  # noqa: E402
from besslang import Script, execute  # noqa: E402
from demo.daemon import Daemon  # noqa: E402
from worker_clock import Sample, await_thread, cpu_seconds, last_core, pause  # noqa: E402

SCENARIOS = sorted((HERE / "scenarios").glob("*.bess"))
WARM_UP_SECONDS = 0.3


def measure(scenario: Path, seconds: float) -> float:
    """Packets per second of CPU time of the one worker that runs the scenario."""
    with Daemon(["--idle=spin", f"--c={last_core()}"]) as daemon:
        client = daemon.client()
        client.pause_all()
        execute(Script.parse(scenario), client, {})
        client.resume_all()
        thread = await_thread(daemon.pid, "worker-0")

        def sample() -> Sample:
            packets = client.get_ledger().totals.consumed
            return Sample(packets, cpu_seconds(daemon.pid, thread))

        pause(WARM_UP_SECONDS)
        before = sample()
        pause(seconds)
        return sample().rate_since(before)


def run(scenarios: list[Path], repetitions: int, seconds: float) -> dict[str, list[float]]:
    """All figures, by scenario, in packets per second; the yardstick is called testpmd."""
    figures: dict[str, list[float]] = {"testpmd": [], **{x.stem: [] for x in scenarios}}
    for i in range(repetitions):
        print(f"repetition {i + 1} of {repetitions}", file=sys.stderr, flush=True)
        figures["testpmd"].append(yardstick.measure(seconds))
        for scenario in scenarios:
            figures[scenario.stem].append(measure(scenario, seconds))
    return figures


def ratios(figures: dict[str, list[float]], name: str) -> list[float]:
    """Each repetition's figure over the yardstick of the same repetition."""
    return [mine / its for mine, its in zip(figures[name], figures["testpmd"])]


def table(figures: dict[str, list[float]]) -> str:
    """Median rate, and median, lowest and highest ratio, a line each."""
    lines = [f"{'scenario':<14} {'Mpps':>7} {'ratio':>6}  (lowest..highest)"]
    for name, rates in figures.items():
        found = ratios(figures, name)
        lines.append(
            f"{name:<14} {statistics.median(rates) / 1e6:7.1f} {statistics.median(found):6.2f}"
            f"  ({min(found):.2f}..{max(found):.2f})"
        )
    return "\n".join(lines)


def main() -> int:
    """Prints the table; with --json also writes all figures to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [x.stem for x in SCENARIOS]
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    unknown = set(args.scenario) - set(names)
    if unknown:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {names}")
    if not yardstick.available():
        parser.error("the yardstick dpdk-testpmd is missing; it is in Debian's package dpdk")
    chosen = [x for x in SCENARIOS if not args.scenario or x.stem in args.scenario]
    figures = run(chosen, args.repetitions, args.seconds)
    print(table(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
