# SPDX-License-Identifier: Apache-2.0
"""Lets tests import what the bench is made of."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("bench", "sample_conf", "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
