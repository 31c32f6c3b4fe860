# SPDX-License-Identifier: Apache-2.0
"""`build.py run`: from a fresh clone to packets on the screen."""
from __future__ import annotations

import argparse

from tools import builder, packages, shell

DEMO = shell.ROOT / "sample_conf" / "live.py"


def command(args: argparse.Namespace) -> int:
    """Builds the daemon and hands over to the demo, with everything the person typed after it."""
    if packages.missing():
        packages.setup()
    out = builder.build("release", ["bessd"], args.jobs)
    passed_on = [x for x in args.args if x != "--"]
    python = shell.python_with("grpc", "google.protobuf")
    return shell.run([python, str(DEMO), *passed_on], {"BESSD": str(out / "bessd")})
