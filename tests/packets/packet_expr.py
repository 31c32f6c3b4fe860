# SPDX-License-Identifier: Apache-2.0
"""Expressions of .pkt files: scapy packets to bytes, the same on every machine."""
from __future__ import annotations

import logging
from typing import Any

logging.getLogger("scapy").setLevel(logging.ERROR)

import scapy.all  # noqa: E402
from scapy.config import conf  # noqa: E402
from scapy.packet import Packet  # noqa: E402

MAC_A, MAC_B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
MAC_ANY, MAC_NONE = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"

# Scapy looks up source addresses in the routing tables of the machine it runs on. With none but
# the loopback route, an address nobody wrote is 0.0.0.0 or ::, and 127.0.0.1 towards loopback.
conf.route.routes = [route for route in conf.route.routes if route[0] == 0x7F000000]
conf.route.invalidate_cache()
conf.route6.routes = []
conf.route6.invalidate_cache()

_NAMES: dict[str, Any] = {
    **{name: value for name, value in vars(scapy.all).items() if not name.startswith("__")},
    "MAC_A": MAC_A,
    "MAC_B": MAC_B,
}


def evaluate(text: str) -> Any:
    """What an expression means."""
    return eval(text, dict(_NAMES))  # pylint: disable=eval-used


def arguments(text: str) -> dict[str, Any]:
    """The arguments between the brackets of a command: keywords, or one dict."""

    def collect(*plain: Any, **named: Any) -> dict[str, Any]:
        if len(plain) > 1 or (plain and (named or not isinstance(plain[0], dict))):
            raise TypeError("a command takes key=value arguments, or one dict")
        return dict(plain[0]) if plain else named

    result: dict[str, Any] = eval(f"collect({text})", {**_NAMES, "collect": collect})
    return result


def packets(text: str) -> list[bytes]:
    """The packets an expression stands for: one, or a list of them."""
    return _flatten(evaluate(text))


def _flatten(value: Any) -> list[bytes]:
    if isinstance(value, (bytes, bytearray)):
        return [bytes(value)]
    if isinstance(value, Packet):
        return [to_bytes(value)]
    if isinstance(value, (list, tuple)) or hasattr(value, "res"):
        return [packet for item in value for packet in _flatten(item)]
    raise TypeError(f"{value!r} is not a packet, bytes, or a list of these")


def to_bytes(packet: Packet) -> bytes:
    """The bytes of a packet whose Ethernet headers say no more than what was written."""
    packet = packet.copy()
    layer: Any = packet
    while layer is not None and layer.name != "NoPayload":
        if isinstance(layer, scapy.all.Ether):
            layer.fields.setdefault("dst", MAC_ANY)
            layer.fields.setdefault("src", MAC_NONE)
        layer = layer.payload
    return bytes(packet)
