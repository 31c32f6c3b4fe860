#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures, prints a table, and writes the figures as JSON and as a picture.

What can be measured: the scenarios, each a graph in bench/scenarios/ (forwarding.py), and groups.
A group is one file in bench/groups/ whose first comment line says what it is about, with a
function measure(settings: Settings) -> list[Figure]; it is known by its file's name.
"""
from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import forwarding  # noqa: E402
import plot  # noqa: E402
from figures import Figure, Settings, compare, load, save, table  # noqa: E402

OUT = HERE.parent / "build" / "bench"
GROUPS = sorted(x.stem for x in (HERE / "groups").glob("*.py"))


def parser() -> argparse.ArgumentParser:
    """What a person may type."""
    top = argparse.ArgumentParser(prog="./build.py bench", description=__doc__.splitlines()[0])
    top.add_argument("name", nargs="*", help="scenarios and groups; all scenarios by default")
    top.add_argument("--list", action="store_true", help="print the names and stop")
    top.add_argument("--repetitions", type=int, default=5)
    top.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    top.add_argument("--json", type=Path, default=OUT / "figures.json", metavar="FILE")
    top.add_argument("--svg", type=Path, default=OUT / "figures.svg", metavar="FILE")
    top.add_argument("--compare", type=Path, metavar="OLD.json", help="say what moved since")
    return top


def measure(names: list[str], settings: Settings) -> list[Figure]:
    """Everything with one of these names: scenarios side by side first, then group by group."""
    scenarios = forwarding.named(names) if names else forwarding.scenarios()
    found = forwarding.measure(scenarios, settings) if scenarios else []
    for group in [x for x in GROUPS if x in names]:
        found += importlib.import_module(f"groups.{group}").measure(settings)
    return found


def main() -> int:
    """Prints the table and what moved; the files are written in any case."""
    options = parser()
    args = options.parse_args()
    names = [x.name for x in forwarding.scenarios()] + GROUPS
    if args.list:
        print("\n".join(names))
        return 0
    unknown = sorted(set(args.name) - set(names))
    if unknown:
        options.error(f"there is no {', '.join(unknown)}; there are {', '.join(names)}")
    old = load(args.compare) if args.compare else []
    found = measure(args.name, Settings(args.repetitions, args.seconds))
    print(table(found))
    if args.compare:
        print(f"\nsince {args.compare}:\n{compare(old, found)}")
    save(found, args.json)
    plot.draw(found, args.svg)
    print(f"\nfigures: {args.json}\npicture: {args.svg}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
