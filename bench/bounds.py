# SPDX-License-Identifier: Apache-2.0
"""Runs a bench whose figures have bounds: chooses, prints, writes, and says how many were kept."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from sched_figure import Figure

Families = dict[str, Callable[[], Iterator[Figure]]]


def arguments(bench: str, summary: str, families: Families) -> argparse.Namespace:
    """What the person typed."""
    parser = argparse.ArgumentParser(prog=f"./build.py bench {bench}", description=summary)
    parser.add_argument("words", nargs="*", help=f"of {', '.join(families)}; all when left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    args = parser.parse_args()
    if unknown := [word for word in args.words if not any(word in name for name in families)]:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(families)}")
    return args


def run(bench: str, summary: str, families: Families) -> int:
    """Measures and prints; status 1 if a bound was not kept."""
    args = arguments(bench, summary, families)
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
