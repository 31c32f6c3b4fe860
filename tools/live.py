# SPDX-License-Identifier: Apache-2.0
"""`build.py run` and `build.py bench`: from a fresh clone to packets, or figures, on the screen."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from tools import builder, packages, shell

DEMO = shell.ROOT / "sample_conf" / "live.py"
BENCH = shell.ROOT / "bench" / "bench.py"
BOUNDS = shell.ROOT / "bench" / "bounds.py"
# The scenarios and groups of BENCH, each known by its file's name.
MEASURED = ("scenarios/*.bess", "groups/*.py")
# Benches whose figures have bounds, by the first word: what they need besides bessd.
BOUNDED: dict[str, list[str]] = {
    "sched": ["tc_bench"],
    "live": [],
    "nf": ["port_bench", "nf_examples"],
}
# The same for groups of bench/groups/, by their names.
GROUPS: dict[str, list[str]] = {"lookups": ["lookup_bench"]}


def command(args: argparse.Namespace) -> int:
    """The live demo."""
    return hand_over(DEMO, args)


def bench_command(args: argparse.Namespace) -> int:
    """The bench against the yardstick; the first word may ask for one that has bounds instead."""
    targets = BOUNDED.get(args.args[0]) if args.args else None
    if targets is None:
        check_names(args.args)
        needed = [target for word in args.args for target in GROUPS.get(word, [])]
        return hand_over(BENCH, args, needed)
    return hand_over(BOUNDS, args, targets)


def check_names(words: Sequence[str]) -> None:
    """Refuses what no bench is called before anything is built for it. A word behind an option may be
    the option's value; the bench itself looks at those.
    """
    known = [x.stem for pattern in MEASURED for x in sorted(BENCH.parent.glob(pattern))]
    typed = [word for word in words if word != "--"]
    for before, word in zip(["", *typed], typed):
        if not word.startswith("-") and not before.startswith("--") and word not in known:
            also = ", ".join(BOUNDED)
            raise shell.Failed(
                f"there is no bench {word}; there are {', '.join(known)}, and by themselves {also}"
            )


def hand_over(program: Path, args: argparse.Namespace, targets: Sequence[str] = ()) -> int:
    """Builds the daemon and hands over to a program, with everything the person typed after it."""
    if packages.missing():
        packages.setup()
    out = builder.build("release", ["bessd", *targets], args.jobs)
    passed_on = [x for x in args.args if x != "--"]
    python = shell.python_with("grpc", "google.protobuf", "matplotlib")
    return shell.run([python, str(program), *passed_on], {"BESSD": str(out / "bessd")})
