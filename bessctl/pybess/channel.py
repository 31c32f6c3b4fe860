# SPDX-License-Identifier: Apache-2.0
"""One connection to a daemon: unary calls by name, with what went wrong said in a sentence."""

from typing import Any

import grpc

from pybess.errors import RPCError
from pybess.protos import Protos

CONNECT_SECONDS = 5
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


class Channel:
    """Calls methods of any service the protos know."""

    def __init__(self, address: str, protos: Protos):
        self.address = address
        self._protos = protos
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._stubs: dict[tuple[str, str], Any] = {}
        self.broken = False

    def call(self, service: str, method: str, request: Any, timeout: float | None = None) -> Any:
        """Sends one request and returns its response, or raises RPCError."""
        try:
            response = self._stub(service, method)(request, timeout=timeout)
        except grpc.RpcError as error:
            raise RPCError(self._explain(method, error)) from None
        self.broken = False
        return response

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def _stub(self, service: str, method: str) -> Any:
        key = (service, method)
        if key not in self._stubs:
            path, request_class, response_class = self._protos.method(service, method)
            self._stubs[key] = self._channel.unary_unary(
                path,
                request_serializer=request_class.SerializeToString,
                response_deserializer=response_class.FromString,
            )
        return self._stubs[key]

    def _explain(self, method: str, error: Any) -> str:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.UNAVAILABLE:
            self.broken = True
            return f"no daemon answers at {self.address} (is bessd running?)"
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            self.broken = True
            return f"the daemon at {self.address} did not answer {method} in time"
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return f"the daemon at {self.address} does not know {method}"
        return f"{method} failed: {details or code.name}"
