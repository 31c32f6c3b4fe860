#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scheduler's figures, each with the bound it has to keep: `./build.py bench sched [WORD...]`.

Words choose figures by a part of their name. Everything runs on one core, the last one; shares, limits
and latencies are measured at the control API, as a client sees them.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import bounds  # noqa: E402
import sched_idle  # noqa: E402
import sched_shares  # noqa: E402

FAMILIES: bounds.Families = {
    "decision": sched_idle.decisions,
    "wake-up": sched_idle.wake_ups,
    "idle": sched_idle.idle_cpu,
    "share": sched_shares.shares,
    "limit": sched_shares.limits,
    "priority": sched_shares.priorities,
    "edits": sched_shares.edits,
}

if __name__ == "__main__":
    sys.exit(bounds.run("sched", __doc__, FAMILIES))
