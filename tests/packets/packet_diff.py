# SPDX-License-Identifier: Apache-2.0
"""Says how the packets that came differ from those expected, for people who have to find out why."""
from __future__ import annotations

from collections import Counter
from typing import Iterator

from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

ROW = 16
MOST = 5  # packets that are shown in full


def difference(expected: list[bytes], came: list[bytes]) -> str:
    """Empty if both are the same."""
    if expected == came:
        return ""
    lines = [f"expected {count(len(expected))}, {len(came)} came"]
    if len(expected) == len(came):
        lines = []
    if len(expected) > 1 and Counter(expected) == Counter(came):
        lines.append("the same packets in another order")
    pairs = list(enumerate(zip(expected, came)))
    wrong = [(i, want, got) for i, (want, got) in pairs if want != got]
    for i, want, got in wrong[:MOST]:
        lines += [f"packet {i} of {len(came)} is wrong", *indented(of_packet(want, got))]
    if len(wrong) > MOST:
        lines.append(f"and {len(wrong) - MOST} more are wrong")
    lines += leftover("is missing", expected, len(came))
    lines += leftover("was not expected", came, len(expected))
    return "\n".join(lines)


def count(n: int) -> str:
    """1 packet, 2 packets."""
    return f"{n} packet{'' if n == 1 else 's'}"


def summary(packet: bytes) -> str:
    """One line for a packet: what scapy makes of it."""
    return f"{decoded(packet).summary() or 'nothing'} ({len(packet)} bytes)"


def decoded(packet: bytes) -> Packet:
    """What scapy makes of the bytes; it stumbles over some that are too few."""
    try:
        return Ether(packet)
    except Exception:  # pylint: disable=broad-except
        return Raw(packet)


def listed(packets: list[bytes]) -> list[str]:
    """The first few packets, a line each."""
    lines = [summary(packet) for packet in packets[:MOST]]
    return lines + [f"and {len(packets) - MOST} more"] * (len(packets) > MOST)


def leftover(what: str, packets: list[bytes], start: int) -> Iterator[str]:
    """The packets of the longer list that have no partner in the other."""
    for i, packet in list(enumerate(packets))[start : start + MOST]:
        yield f"packet {i} {what}: {summary(packet)}"
        yield from indented(f"{at:04x}  {row(packet, at)}" for at in range(0, len(packet), ROW))
    if len(packets) - start > MOST:
        yield f"and {len(packets) - start - MOST} more"


def of_packet(want: bytes, got: bytes) -> Iterator[str]:
    """Both summaries, the fields that differ, and the rows of bytes that differ."""
    yield f"expected: {summary(want)}"
    yield f"came:     {summary(got)}"
    yield from fields(decoded(want), decoded(got))
    for at in range(0, max(len(want), len(got)), ROW):
        one, other = want[at : at + ROW], got[at : at + ROW]
        if one == other:
            yield f"    {at:04x}  {row(want, at)}"
            continue
        yield f"  - {at:04x}  {row(want, at)}"
        yield f"  + {at:04x}  {row(got, at)}"
        yield f"          {marks(one, other)}".rstrip()


def row(packet: bytes, at: int) -> str:
    """Up to 16 bytes in hexadecimal."""
    return packet[at : at + ROW].hex(" ")


def marks(one: bytes, other: bytes) -> str:
    """A ^^ below each byte that differs or is in one row only."""
    pairs = range(max(len(one), len(other)))
    return " ".join("  " if one[i : i + 1] == other[i : i + 1] else "^^" for i in pairs)


def fields(want: Packet | None, got: Packet | None) -> Iterator[str]:
    """The fields that differ, as long as both packets have the same layers."""
    while want and got and type(want) is type(got):
        for description in want.fields_desc:
            one, other = (str(x.getfieldval(description.name)) for x in (want, got))
            if one != other:
                yield f"{want.name}.{description.name}: expected {one}, came {other}"
        want, got = want.payload, got.payload


def indented(lines: Iterator[str]) -> Iterator[str]:
    """The lines, two columns to the right."""
    return (f"  {line}" for line in lines)
