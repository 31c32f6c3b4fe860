# SPDX-License-Identifier: Apache-2.0
"""What scenarios send: frames, and what RandomUpdate makes of them."""
from __future__ import annotations

from frames import udp

# Behind it, addresses vary within 10.0.0.0/16 and 10.1.0.0/16, and 1,024 source ports.
TEMPLATE = udp("10.0.0.1:1000", "10.1.0.1:2000")
SOURCE_ADDRESS = {"offset": 28, "size": 2, "min": 0, "max": 0xFFFF}
DESTINATION_ADDRESS = {"offset": 32, "size": 2, "min": 0, "max": 0xFFFF}
SOURCE_PORT = {"offset": 34, "size": 2, "min": 0, "max": 1023}
VARIED = [SOURCE_ADDRESS, DESTINATION_ADDRESS, SOURCE_PORT]
