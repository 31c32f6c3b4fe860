#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What live change costs, each figure with its bound: `./build.py bench live [WORD...]`.

Words choose figures by a part of their name. The switch has the last core and forwards all the while.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import bounds  # noqa: E402
import live_edits  # noqa: E402
import live_tables  # noqa: E402

FAMILIES: bounds.Families = {
    "rules": live_tables.bulk_rates,
    "restart": live_tables.restarts,
    "edits": live_edits.edits,
}

if __name__ == "__main__":
    sys.exit(bounds.run("live", __doc__, FAMILIES))
