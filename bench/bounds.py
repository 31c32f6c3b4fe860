#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benches whose figures have bounds: chooses, prints, writes, and says how many were kept.

Words choose figures by a part of their name. The switch has the last core, and what is measured in
turn with it, such as a network function, the first.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import live_edits  # noqa: E402
import live_graph  # noqa: E402
import live_outside  # noqa: E402
import live_tables  # noqa: E402
import nf_chain  # noqa: E402
import nf_rates  # noqa: E402
import nf_sleepers  # noqa: E402
import sched_idle  # noqa: E402
import sched_shares  # noqa: E402
from bounded import Figure  # noqa: E402

Families = dict[str, Callable[[], Iterator[Figure]]]

BENCHES: dict[str, Families] = {
    "sched": {
        "decision": sched_idle.decisions,
        "wake-up": sched_idle.wake_ups,
        "idle": sched_idle.idle_cpu,
        "share": sched_shares.shares,
        "limit": sched_shares.limits,
        "priority": sched_shares.priorities,
        "edits": sched_shares.edits,
    },
    "live": {
        "rules": live_tables.bulk_rates,
        "restart": live_tables.restarts,
        "edits": live_edits.edits,
        "graph": live_graph.changes_of_one_edge,
        "outside": live_outside.outside,
    },
    "nf": {
        "rate": nf_rates.rates,
        "latency": nf_rates.latencies,
        "kernel": nf_rates.kernel,
        "attach": nf_sleepers.attach,
        "asleep": nf_sleepers.asleep,
        "chain": nf_chain.chain,
    },
}
SUMMARIES = {
    "sched": "The scheduler: shares and limits as a client sees them, decisions, wake-ups, idle CPU.",
    "live": "What live change costs while packets are forwarded.",
    "nf": "Network functions; most figures are ratios of two programs that are measured in turn.",
}


def arguments(bench: str, words: list[str], families: Families) -> argparse.Namespace:
    """What the person typed."""
    prog, summary = f"./build.py bench {bench}", SUMMARIES.get(bench)
    parser = argparse.ArgumentParser(prog=prog, description=summary)
    parser.add_argument("words", nargs="*", help=f"of {', '.join(families)}; all when left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    args = parser.parse_args(words)
    if unknown := [word for word in args.words if not any(word in name for name in families)]:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(families)}")
    return args


def run(bench: str, words: list[str], families: Families) -> int:
    """Measures and prints; status 1 if a bound was not kept."""
    args = arguments(bench, words, families)
    figures = []
    print(f"{'figure':52} {'measured':>12} {'bound':>12}")
    for name, measure in families.items():
        if args.words and not any(word in name for word in args.words):
            continue
        for figure in measure():
            figures.append(figure)
            print(figure, flush=True)
    if args.json:
        args.json.write_text(json.dumps([x.as_dict() for x in figures], indent=1) + "\n")
    missed = sum(not x.kept for x in figures)
    print(f"{len(figures) - missed} of {len(figures)} bounds kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:], BENCHES[sys.argv[1]]))
