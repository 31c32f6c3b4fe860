#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scheduler's figures, each with the bound it has to keep: `./build.py bench sched [WORD...]`.

Words choose figures by a part of their name. Everything runs on one core, the last one; shares, limits
and latencies are measured at the control API, as a client sees them.
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

import sched_idle  # noqa: E402
import sched_shares  # noqa: E402
from sched_figure import Figure  # noqa: E402

FAMILIES: dict[str, Callable[[], Iterator[Figure]]] = {
    "decision": sched_idle.decisions,
    "wake-up": sched_idle.wake_ups,
    "idle": sched_idle.idle_cpu,
    "share": sched_shares.shares,
    "limit": sched_shares.limits,
    "priority": sched_shares.priorities,
    "edits": sched_shares.edits,
}


def arguments() -> argparse.Namespace:
    """What the person typed."""
    parser = argparse.ArgumentParser(prog="./build.py bench sched", description=__doc__)
    parser.add_argument("words", nargs="*", help=f"of {', '.join(FAMILIES)}; all when left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    args = parser.parse_args()
    if unknown := [word for word in args.words if not any(word in name for name in FAMILIES)]:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(FAMILIES)}")
    return args


def main() -> int:
    """Measures and prints; status 1 if a bound was not kept."""
    args = arguments()
    figures = []
    print(f"{'figure':52} {'measured':>12} {'bound':>12}")
    for name, measure in FAMILIES.items():
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
    sys.exit(main())
