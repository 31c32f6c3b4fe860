# SPDX-License-Identifier: Apache-2.0
"""`build.py run` and `build.py bench`: from a fresh clone to packets, or figures, on the screen."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from tools import builder, packages, shell

DEMO = shell.ROOT / "sample_conf" / "live.py"
BENCH = shell.ROOT / "bench" / "bench.py"
SCHED_BENCH = shell.ROOT / "bench" / "sched.py"


def command(args: argparse.Namespace) -> int:
    """The live demo."""
    return hand_over(DEMO, args)


def bench_command(args: argparse.Namespace) -> int:
    """The bench against the yardstick; the first word `sched` asks for the scheduler's instead."""
    if args.args[:1] != ["sched"]:
        return hand_over(BENCH, args)
    args.args = args.args[1:]
    return hand_over(SCHED_BENCH, args, ["tc_bench"])


def hand_over(program: Path, args: argparse.Namespace, targets: Sequence[str] = ()) -> int:
    """Builds the daemon and hands over to a program, with everything the person typed after it."""
    if packages.missing():
        packages.setup()
    out = builder.build("release", ["bessd", *targets], args.jobs)
    passed_on = [x for x in args.args if x != "--"]
    python = shell.python_with("grpc", "google.protobuf", "matplotlib")
    return shell.run([python, str(program), *passed_on], {"BESSD": str(out / "bessd")})
