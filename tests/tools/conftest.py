# SPDX-License-Identifier: Apache-2.0
"""Lets these tests import what build.py is made of."""
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
