#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbered packets on a wire.

`send DEVICE RATE` sends that many a second, each with the next number. `record DIRECTORY DEVICE...`
writes down what comes in by each device: pairs of 64-bit words in DIRECTORY/DEVICE, the number and
the time when the kernel took the packet, in nanoseconds since the Unix epoch. Both end when their
standard input does.
"""

import select
import socket
import struct
import sys
import time
from array import array
from pathlib import Path

ETHER_TYPE = 0x88B5  # for experiments
HEADER = b"\xff" * 6 + b"\x02" + bytes(5) + ETHER_TYPE.to_bytes(2, "big")
NUMBER = struct.Struct("=Q")
LENGTH = 60
MOST_AT_ONCE = 64  # packets, of a sender that is late
NAP = 100e-6  # seconds

SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35  # also the type of the control message: a struct timespec
RECEIVE_BUFFER = 64 << 20
TIME = struct.Struct("=qq")
ROOM = socket.CMSG_SPACE(TIME.size)


def packet_socket(device: str) -> socket.socket:
    """For packets of our type."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHER_TYPE))
    opened.bind((device, ETHER_TYPE))
    return opened


def ended() -> bool:
    """Whether nobody holds the other end of the standard input any more."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def send(device: str, rate: float) -> None:
    """Short naps between bursts; who is late leaves out what would be too many at once."""
    out, frame = packet_socket(device), bytearray(HEADER.ljust(LENGTH, b"\0"))
    number, budget, last = 0, 0.0, time.monotonic()
    while not ended():
        now = time.monotonic()
        budget, last = min(budget + (now - last) * rate, MOST_AT_ONCE), now
        for _ in range(int(budget)):
            NUMBER.pack_into(frame, len(HEADER), number)
            out.send(frame)
            number += 1
        budget -= int(budget)
        time.sleep(NAP)


def record_one(arrived: socket.socket, into: "array[int]") -> None:
    """All that waits."""
    try:
        while True:
            data, ancillary, _, _ = arrived.recvmsg(LENGTH, ROOM, socket.MSG_DONTWAIT)
            seconds, nanoseconds = TIME.unpack(ancillary[0][2])
            into.append(NUMBER.unpack_from(data, len(HEADER))[0])
            into.append(seconds * 1_000_000_000 + nanoseconds)
    except BlockingIOError:
        pass


def record(directory: Path, devices: list[str]) -> None:
    """Until the end; only then are the files written."""
    written: dict[str, "array[int]"] = {device: array("Q") for device in devices}
    sockets = [packet_socket(device) for device in devices]
    for opened in sockets:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    print("ready", flush=True)
    while not ended():
        for opened, into in zip(sockets, written.values()):
            record_one(opened, into)
        time.sleep(NAP)
    for device, pairs in written.items():
        with open(directory / device, "wb") as out:
            pairs.tofile(out)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], float(sys.argv[3]))
    else:
        record(Path(sys.argv[2]), sys.argv[3:])
