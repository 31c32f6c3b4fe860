# SPDX-License-Identifier: Apache-2.0
"""One connection to a daemon: calls by name, with what went wrong said in a sentence."""

from collections.abc import Iterator
from typing import Any

import grpc

from google.protobuf.message import DecodeError, Message

from pybess.errors import Problem, RPCError, StatusError
from pybess.protos import Protos

CONNECT_SECONDS = 5
_DETAILS = "grpc-status-details-bin"
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 1 << 20),  # all that is wrong with a request comes in there
]


class Channel:
    """Calls methods of any service the protos know."""

    def __init__(self, places: list[str], protos: Protos):
        """Connects to the last of some places; in the others there was no daemon."""
        self.address = places[-1]
        self._places = places
        self._protos = protos
        self._channel = grpc.insecure_channel(self.address, options=_OPTIONS)
        self._stubs: dict[tuple[str, str], Any] = {}
        self._closed = False
        self.broken = False

    def call(self, service: str, method: str, request: Any, timeout: float | None = None) -> Any:
        """Sends one request and returns its response; raises StatusError if the daemon tells what
        is wrong with it, else RPCError.
        """
        try:
            response = self._stub(service, method, "unary_unary")(request, timeout=timeout)
        except grpc.RpcError as error:
            raise self._failure(method, error) from None
        self.broken = False
        return response

    def stream(self, service: str, method: str, requests: Any) -> Iterator[Any]:
        """Sends one request, or an iterator of them, and yields responses; raises as `call` does.
        Ends the call when the caller stops reading.
        """
        kind = "unary_stream" if isinstance(requests, Message) else "stream_stream"
        responses = self._stub(service, method, kind)(requests)
        try:
            yield from responses
        except grpc.RpcError as error:
            raise self._failure(method, error) from None
        finally:
            responses.cancel()

    def close(self) -> None:
        """Ends the connection."""
        self._closed = True
        self._channel.close()

    def _stub(self, service: str, method: str, kind: str) -> Any:
        key = (service, method)
        if key not in self._stubs:
            path, request_class, response_class = self._protos.method(service, method)
            self._stubs[key] = getattr(self._channel, kind)(
                path,
                request_serializer=request_class.SerializeToString,
                response_deserializer=response_class.FromString,
            )
        return self._stubs[key]

    def _failure(self, method: str, error: Any) -> Exception:
        found = self._problems(error)
        if found is None or not found.problems:
            return RPCError(self._explain(method, error), error.code().name)
        problems = [Problem(p.path, p.errno_value, p.message) for p in found.problems]
        return StatusError(error.code().name, problems, found.count)

    def _problems(self, error: Any) -> Any | None:
        """The Problems that came with a status, if any."""
        details = self._protos.message("bess.native.StatusDetails")
        problems = self._protos.message("bess.native.Problems")
        for key, value in error.trailing_metadata() or ():
            try:
                packed = details.FromString(value).details if key == _DETAILS else ()
                for item in packed:
                    if item.type_url.endswith(f"/{problems.DESCRIPTOR.full_name}"):
                        return problems.FromString(item.value)
            except DecodeError:
                continue
        return None

    def _explain(self, method: str, error: Any) -> str:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.UNAVAILABLE:
            self.broken = True
            return self._nobody()
        if code == grpc.StatusCode.CANCELLED and not self._closed:
            self.broken = True
            return f"the daemon at {self.address} ended"
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            self.broken = True
            return f"the daemon at {self.address} did not answer {method} in time"
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return f"the daemon at {self.address} does not know {method}"
        return f"{method} failed: {details or code.name}"

    def _nobody(self) -> str:
        if len(self._places) == 1:
            return f"no daemon answers at {self.address} (is bessd running?)"
        places = ", nor at ".join(self._places)
        return f"no daemon answers at {places}; `bessctl daemon start` starts one"
