# SPDX-License-Identifier: Apache-2.0
"""`build.py run` and `build.py bench`: from a fresh clone to packets, or figures, on the screen."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from tools import builder, packages, shell

DEMO = shell.ROOT / "sample_conf" / "live.py"
BENCH = shell.ROOT / "bench" / "bench.py"
# Benches with bounds of their own, by the first word: the program, and what it needs besides bessd.
BOUNDED: dict[str, tuple[Path, list[str]]] = {
    "sched": (shell.ROOT / "bench" / "sched.py", ["tc_bench"]),
    "live": (shell.ROOT / "bench" / "live_change.py", []),
    "nf": (shell.ROOT / "bench" / "nf.py", ["port_bench", "nf_examples"]),
}


def command(args: argparse.Namespace) -> int:
    """The live demo."""
    return hand_over(DEMO, args)


def bench_command(args: argparse.Namespace) -> int:
    """The bench against the yardstick; the first word may ask for one that has bounds instead."""
    if not args.args or args.args[0] not in BOUNDED:
        return hand_over(BENCH, args)
    bench, targets = BOUNDED[args.args[0]]
    args.args = args.args[1:]
    return hand_over(bench, args, targets)


def hand_over(program: Path, args: argparse.Namespace, targets: Sequence[str] = ()) -> int:
    """Builds the daemon and hands over to a program, with everything the person typed after it."""
    if packages.missing():
        packages.setup()
    out = builder.build("release", ["bessd", *targets], args.jobs)
    passed_on = [x for x in args.args if x != "--"]
    python = shell.python_with("grpc", "google.protobuf", "matplotlib")
    return shell.run([python, str(program), *passed_on], {"BESSD": str(out / "bessd")})
