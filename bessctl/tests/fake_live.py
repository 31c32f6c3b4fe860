# SPDX-License-Identifier: Apache-2.0
"""The native service of a fake daemon: states are kept and compared entry by entry, nothing runs."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from pybess.convert import pack
from pybess.live import LIVE
from pybess.protos import protos

_NATIVE = "bess.native."
_HANDLERS = {
    "BulkCommand": grpc.stream_stream_rpc_method_handler,
    "Watch": grpc.unary_stream_rpc_method_handler,
}


def message(name: str, **fields: Any) -> Any:
    """A message of the native protos."""
    return protos().message(_NATIVE + name)(**fields)


def entries(state: Any) -> dict[str, Any]:
    """The entries of a state by their paths."""
    found: dict[str, Any] = {}
    for kind, key in (("workers", "wid"), ("ports", "name"), ("modules", "name")):
        found |= {f"{kind}/{getattr(item, key)}": item for item in getattr(state, kind)}
    for edge in state.connections:
        found[f"connections/{getattr(edge, 'from')}:{edge.ogate}"] = edge
    found |= {f"classes/{item.name}": item for item in state.classes}
    for hook in state.gate_hooks:
        gate = hook.WhichOneof("gate")
        found[f"gate_hooks/{hook.module}:{gate}{getattr(hook, gate)}:{hook.name}"] = hook
    return dict(sorted(found.items()))


def differences(before: Any, after: Any) -> list[Any]:
    """The Changes from one state to another; a module whose argument differs is replaced."""
    old, new = entries(before), entries(after)
    changes = []
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            changes.append(_change(path, old.get(path), new.get(path)))
    return changes


def _change(path: str, before: Any, after: Any) -> Any:
    change = message("Change", path=path)
    for side, item in (("before", before), ("after", after)):
        if item is not None:
            entry = getattr(change, side)
            for field in entry.DESCRIPTOR.oneofs_by_name["kind"].fields:
                if field.message_type.full_name == item.DESCRIPTOR.full_name:
                    getattr(entry, field.name).CopyFrom(item)
    action = "REMOVE" if after is None else "ADD" if before is None else "UPDATE"
    if action == "UPDATE" and path.startswith("modules/") and before.arg != after.arg:
        action = "REPLACE"
    change.action = change.Action.Value(action)
    return change


class FakeLive:
    """Serves bess.native.Live. `problems` are what the next call is refused for, `requests` all
    that came, `events` what Watch tells, `carry_out` gets the operations of Transact.
    """

    def __init__(self) -> None:
        self.states = [message("State")]
        self.comments = ["start"]
        self.problems: list[Any] = []
        self.warnings: list[str] = []
        self.requests: list[Any] = []
        self.events: list[Any] = []
        self.carry_out: Callable[[Any], None] = lambda operation: None

    @property
    def version(self) -> int:
        return len(self.states)

    @property
    def state(self) -> Any:
        return self.states[-1]

    def handlers(self) -> Any:
        """What a gRPC server takes."""
        return grpc.method_handlers_generic_handler(
            LIVE, {name: self._handler(name) for name in protos().methods(LIVE)}
        )

    def _handler(self, method: str) -> Any:
        _, request_class, response_class = protos().method(LIVE, method)
        make = _HANDLERS.get(method, grpc.unary_unary_rpc_method_handler)
        serve: Callable[[Any], Any] = getattr(self, f"_{method}")

        def handle(request: Any, context: Any) -> Any:
            self.requests.append(request)
            if self.problems:
                refuse(context, self.problems)
            return serve(request)

        return make(
            handle,
            request_deserializer=request_class.FromString,
            response_serializer=response_class.SerializeToString,
        )

    def _GetState(self, request: Any) -> Any:
        version = request.version or self.version
        return message("GetStateResponse", version=version, state=self.states[version - 1])

    def _Apply(self, request: Any) -> Any:
        return self._commit("ApplyResponse", request.state, request.comment, request.dry_run)

    def _Rollback(self, request: Any) -> Any:
        comment = f"rollback {request.version}"
        return self._commit(
            "RollbackResponse", self.states[request.version - 1], comment, request.dry_run
        )

    def _commit(self, response: str, state: Any, comment: str, dry_run: bool) -> Any:
        changes = differences(self.state, state)
        if changes and not dry_run:
            self.states.append(state)
            self.comments.append(comment)
        return message(response, version=self.version, changes=changes, warnings=self.warnings)

    def _Transact(self, request: Any) -> Any:
        for operation in request.operations:
            self.carry_out(operation)
        results = [{"name": "made"} for _ in request.operations]
        return message("TransactResponse", version=self.version + 1, results=results)

    def _History(self, request: Any) -> Any:
        commits = [
            message("Commit", version=number, timestamp=1e9, comment=comment, num_changes=number)
            for number, comment in enumerate(self.comments, 1)
        ]
        newest_first = commits[::-1][: request.limit or None]
        return message("HistoryResponse", commits=newest_first)

    def _BulkCommand(self, requests: Iterator[Any]) -> Iterator[Any]:
        for request in requests:
            outcomes = [{"code": 5 if not command.name else 0} for command in request.commands]
            yield message("BulkCommandResponse", version=self.version, outcomes=outcomes)

    def _Watch(self, _request: Any) -> Iterator[Any]:
        yield from self.events


def refuse(context: Any, problems: list[Any]) -> None:
    """Ends a call with a status that has all its problems."""
    details = message("StatusDetails", code=3, message=problems[0].message)
    pack(details.details.add(), message("Problems", problems=problems, count=len(problems)))
    context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, problems[0].message)
