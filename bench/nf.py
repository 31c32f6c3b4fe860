#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of network functions, each with its bound: `./build.py bench nf [WORD...]`.

Words choose figures by a part of their name. The switch has the last core, the network function the
first. All figures but one are ratios of two programs that are measured in turn.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sample_conf"), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import bounds  # noqa: E402
import nf_rates  # noqa: E402
import nf_sleepers  # noqa: E402

FAMILIES: bounds.Families = {
    "rate": nf_rates.rates,
    "latency": nf_rates.latencies,
    "kernel": nf_rates.kernel,
    "attach": nf_sleepers.attach,
    "asleep": nf_sleepers.asleep,
}

if __name__ == "__main__":
    sys.exit(bounds.run("nf", __doc__, FAMILIES))
