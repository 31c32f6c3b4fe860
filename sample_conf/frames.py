# SPDX-License-Identifier: Apache-2.0
"""Frames for the samples, so that a script can say what its packets look like in one line."""

import socket
import struct

HOST_MAC = "02:00:00:00:00:0a"
ROUTER_MAC = "02:00:00:00:00:01"
TCP, UDP = 6, 17


def mac(text: str) -> bytes:
    """An address as the wire has it."""
    return bytes.fromhex(text.replace(":", ""))


def number(text: str) -> int:
    """A MAC address as the number that Update takes."""
    return int.from_bytes(mac(text), "big")


def ethernet(
    payload: bytes, to: str = ROUTER_MAC, sender: str = HOST_MAC, kind: int = 0x88B5
) -> bytes:
    """A frame; 0x88B5 is the EtherType kept for experiments."""
    return (mac(to) + mac(sender) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    even = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(even[i : i + 2], "big") for i in range(0, len(even), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    protocol: int, source: str, destination: str, segment: bytes, tos: int = 0, ttl: int = 64
) -> bytes:
    """A frame with an IPv4 packet."""
    length = 20 + len(segment)
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, tos, length, 0, 0x4000, ttl, protocol, 0) + ends
    header = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ethernet(header + segment, kind=0x0800)


def udp(
    source: str, destination: str, payload: bytes = b"hello", tos: int = 0, ttl: int = 64
) -> bytes:
    """A UDP packet between two ends such as "10.0.0.1:53"."""
    (ip, port), (to_ip, to_port) = _end(source), _end(destination)
    length = 8 + len(payload)
    datagram = struct.pack("!HHHH", port, to_port, length, 0) + payload
    pseudo = socket.inet_aton(ip) + socket.inet_aton(to_ip) + struct.pack("!HH", UDP, length)
    summed = checksum(pseudo + datagram) or 0xFFFF
    return ipv4(UDP, ip, to_ip, datagram[:6] + struct.pack("!H", summed) + datagram[8:], tos, ttl)


def syn(source: str, destination: str) -> bytes:
    """The first packet of a TCP connection between two ends."""
    (ip, port), (to_ip, to_port) = _end(source), _end(destination)
    segment = struct.pack("!HHIIBBHHH", port, to_port, 1, 0, 5 << 4, 2, 65535, 0, 0)
    pseudo = socket.inet_aton(ip) + socket.inet_aton(to_ip) + struct.pack("!HH", TCP, len(segment))
    summed = struct.pack("!H", checksum(pseudo + segment))
    return ipv4(TCP, ip, to_ip, segment[:16] + summed + segment[18:])


def arp_request(wanted: str, asker: str = "198.51.100.2") -> bytes:
    """Who has this address? Asked by a host that has another one."""
    fixed = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    ends = mac(HOST_MAC) + socket.inet_aton(asker) + bytes(6) + socket.inet_aton(wanted)
    return ethernet(fixed + ends, to="ff:ff:ff:ff:ff:ff", kind=0x0806)


def _end(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port)
