# SPDX-License-Identifier: Apache-2.0
"""Network functions in Python: attach to an NFPort of bessd, and exchange packets in bursts.

    with bessnf.attach("/tmp/bess_nf_nf0") as nf:
        while nf.wait():
            nf.send(nf.receive())

A packet is a view of shared memory: its bytes may be read and changed in place. It is the NF's until
it is sent or freed, each once. Each queue of each direction belongs to one thread at a time. The
library libbessnf.so is looked for where $BESSNF_LIBRARY says, else where the system has its libraries.
"""
from __future__ import annotations

import ctypes
import os
import weakref
from types import TracebackType
from typing import Iterable, Sequence

BURST = 64


class Packet(ctypes.Structure):
    """A packet in shared memory."""

    _fields_ = [
        ("_data", ctypes.c_void_p),
        ("_length", ctypes.c_uint32),
        ("_buffer", ctypes.c_uint32),
    ]

    @property
    def view(self) -> memoryview:
        """The bytes themselves, to be read and written."""
        array = (ctypes.c_uint8 * int(self._length)).from_address(self._data)
        return memoryview(array).cast("B")

    def __len__(self) -> int:
        return int(self._length)

    def __bytes__(self) -> bytes:
        return ctypes.string_at(self._data, self._length)


class Options(ctypes.Structure):
    """How an NF presents itself."""

    _fields_ = [("name", ctypes.c_char_p), ("fresh", ctypes.c_uint32)]


class Statistics(ctypes.Structure):
    """Since the NF was first attached."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            "received",
            "received_bytes",
            "sent",
            "sent_bytes",
            "refused",
            "allocated",
            "freed",
            "sleeps",
            "attachments",
        )
    ]


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ.get("BESSNF_LIBRARY", "libbessnf.so.1"), use_errno=True)
    nf, queue, packets, number = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.POINTER(Packet),
        ctypes.c_uint32,
    )
    arguments = {
        "attach": [ctypes.c_char_p, ctypes.POINTER(Options)],
        "reattach": [nf, ctypes.c_int],
        "detach": [nf],
        "receive": [nf, queue, packets, number],
        "send": [nf, queue, packets, number],
        "alloc": [nf, queue, packets, number],
        "free": [nf, queue, packets, number],
        "append": [nf, packets, number],
        "prepend": [nf, packets, number],
        "wait": [nf, queue, ctypes.c_int],
        "receive_queues": [nf],
        "send_queues": [nf],
        "statistics": [nf, ctypes.POINTER(Statistics)],
        "error": [],
    }
    for name, types in arguments.items():
        getattr(library, f"bess_nf_{name}").argtypes = types
    library.bess_nf_attach.restype = ctypes.c_void_p
    library.bess_nf_append.restype = ctypes.c_void_p
    library.bess_nf_prepend.restype = ctypes.c_void_p
    library.bess_nf_error.restype = ctypes.c_char_p
    return library


_library = _load()


def _failed() -> OSError:
    return OSError(ctypes.get_errno(), _library.bess_nf_error().decode(errors="replace"))


class NetworkFunction:
    """An attachment to an NFPort; use it in a `with`, else it ends with the object or the process.

    Everything raises ValueError after `detach`, and for queues that the port does not have.
    """

    def __init__(self, nf: int) -> None:
        self._nf = nf
        self._finalizer = weakref.finalize(self, _library.bess_nf_detach, nf)
        # When the interpreter ends, other threads may be in the library still.
        self._finalizer.atexit = False
        self._count_queues()

    def _count_queues(self) -> None:
        self._receive_queues = int(_library.bess_nf_receive_queues(self._nf))
        self._send_queues = int(_library.bess_nf_send_queues(self._nf))

    def _attached(self) -> int:
        if not self._nf:
            raise ValueError("this NF is detached")
        return self._nf

    def _receiver(self, queue: int) -> int:
        if not 0 <= queue < self._receive_queues:
            raise ValueError(f"no queue {queue} to receive from: there are {self._receive_queues}")
        return self._attached()

    def _sender(self, queue: int) -> int:
        if not 0 <= queue < self._send_queues:
            raise ValueError(f"no queue {queue} to send to: there are {self._send_queues}")
        return self._attached()

    def __enter__(self) -> NetworkFunction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.detach()

    def detach(self) -> None:
        """Gives everything back; packets are not to be touched any more."""
        self._nf = 0
        self._finalizer()

    def reattach(self, timeout: float = -1) -> None:
        """Attaches again after the switch was gone; tries so many seconds, forever below 0.

        Packets of before are gone, and their bytes are not to be touched any more.
        """
        if _library.bess_nf_reattach(self._attached(), int(timeout * 1000)) != 0:
            raise _failed()
        self._count_queues()

    def wait(self, queue: int = 0, timeout: float = -1) -> bool:
        """Whether a queue has packets, at the latest after so many seconds; below 0 for ever.

        Raises ConnectionResetError when the switch has ended the attachment.
        """
        ready = int(_library.bess_nf_wait(self._receiver(queue), queue, int(timeout * 1000)))
        if ready < 0:
            raise _failed()
        return ready == 1

    def receive(self, queue: int = 0) -> list[Packet]:
        """Up to 64 packets that wait in a queue."""
        burst = (Packet * BURST)()  # of this call alone: others run while it is in the library
        n = int(_library.bess_nf_receive(self._receiver(queue), queue, burst, BURST))
        if n < 0:
            raise _failed()
        return burst[:n]

    def make(self, contents: Iterable[bytes], queue: int = 0) -> list[Packet]:
        """New packets with these bytes; fewer when there are not that many buffers."""
        nf = self._sender(queue)
        made: list[Packet] = []
        try:
            for content in contents:
                packet = Packet()
                if _library.bess_nf_alloc(nf, queue, ctypes.byref(packet), 1) == 0:
                    break
                made.append(packet)
                if not _library.bess_nf_append(nf, ctypes.byref(packet), len(content)):
                    raise ValueError(f"{len(content)} bytes do not fit into a buffer")
                packet.view[:] = content
        except BaseException:
            self.free(made, queue)
            raise
        return made

    def send(self, packets: Sequence[Packet], queue: int = 0) -> int:
        """Sends packets and frees those that the switch has no room for; returns how many it sent."""
        array = (Packet * len(packets))(*packets)
        sent = int(_library.bess_nf_send(self._sender(queue), queue, array, len(packets)))
        self.free(packets[sent:], queue)
        return sent

    def free(self, packets: Sequence[Packet], queue: int = 0) -> None:
        """Gives packets back that are not to be sent."""
        array = (Packet * len(packets))(*packets)
        _library.bess_nf_free(self._sender(queue), queue, array, len(packets))

    def statistics(self) -> Statistics:
        """What went through."""
        statistics = Statistics()
        _library.bess_nf_statistics(self._attached(), ctypes.byref(statistics))
        return statistics


def attach(path: str, name: str = "python", fresh: int = 64) -> NetworkFunction:
    """Attaches to the NFPort at a socket's path; OSError says why it cannot."""
    options = Options(name.encode(), fresh)
    nf = _library.bess_nf_attach(path.encode(), ctypes.byref(options))
    if not nf:
        raise _failed()
    return NetworkFunction(nf)
