# SPDX-License-Identifier: Apache-2.0
"""`build.py run` and `build.py bench`: from a fresh clone to packets, or figures, on the screen."""
from __future__ import annotations

import argparse
from pathlib import Path

from tools import builder, packages, shell

DEMO = shell.ROOT / "sample_conf" / "live.py"
BENCH = shell.ROOT / "bench" / "bench.py"


def command(args: argparse.Namespace) -> int:
    """The live demo."""
    return hand_over(DEMO, args)


def bench_command(args: argparse.Namespace) -> int:
    """The bench against the yardstick."""
    return hand_over(BENCH, args)


def hand_over(program: Path, args: argparse.Namespace) -> int:
    """Builds the daemon and hands over to a program, with everything the person typed after it."""
    if packages.missing():
        packages.setup()
    out = builder.build("release", ["bessd"], args.jobs)
    passed_on = [x for x in args.args if x != "--"]
    python = shell.python_with("grpc", "google.protobuf")
    return shell.run([python, str(program), *passed_on], {"BESSD": str(out / "bessd")})
