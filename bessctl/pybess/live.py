# SPDX-License-Identifier: Apache-2.0
"""The calls of bess.native.Live: changes as commits, wanted states, history, table updates, events.

What is wrong with a request comes as a StatusError that has all of it. A message may be given
where one is sent, or a dict of its fields.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from pybess.convert import to_message

if TYPE_CHECKING:
    from pybess.protos import Protos

LIVE = "bess.native.Live"

# A command of a module: the module's name, the command, its argument's message and fields.
ModuleCommand = tuple[str, str, str, Any]


class LiveCalls:
    """What the client can ask of the native service."""

    protos: "Protos"

    def transact(
        self,
        operations: Iterable[Any],
        expected_version: int = 0,
        dry_run: bool = False,
        strict: bool = False,
        comment: str = "",
    ) -> Any:
        """Carries out Operations as one commit; `pybess.Transaction` makes them of ordinary calls."""
        options = {"expected_version": expected_version, "dry_run": dry_run, "strict": strict}
        fields = {"operations": list(operations), "comment": comment} | options
        return self._live("Transact", fields)

    def apply(
        self,
        state: Any,
        expected_version: int = 0,
        dry_run: bool = False,
        strict: bool = False,
        comment: str = "",
    ) -> Any:
        """Brings the switch to a State by changing what differs; `dry_run` only tells what would."""
        options = {"expected_version": expected_version, "dry_run": dry_run, "strict": strict}
        return self._live("Apply", {"state": state, "comment": comment} | options)

    def get_state(self, version: int = 0) -> Any:
        """The configuration that runs, or that of an earlier commit, as `apply` takes it."""
        return self._live("GetState", {"version": version})

    def get_history(self, limit: int = 0) -> Any:
        """The commits that can be rolled back to, newest first; a limit of 0 is all."""
        return self._live("History", {"limit": limit})

    def rollback(self, version: int, expected_version: int = 0, dry_run: bool = False) -> Any:
        """Brings back the configuration of an earlier commit."""
        fields = {"version": version, "expected_version": expected_version, "dry_run": dry_run}
        return self._live("Rollback", fields)

    def bulk_command(self, batches: Iterable[Iterable[ModuleCommand] | Message]) -> Iterator[Any]:
        """Carries out module commands, best some hundreds in a batch, which bulk_request may have
        made already; yields a response a batch, with one outcome a command. One that fails takes
        back none of the others.
        """
        return self._stream(LIVE, "BulkCommand", (self._as_request(batch) for batch in batches))

    def watch(self, after_version: int = 0) -> Iterator[Any]:
        """Yields an Event for each commit and each change of a link, worker or network function,
        without end; first those of the commits after a version, unless it is 0.
        """
        request = self.protos.message("WatchRequest")(after_version=after_version)
        return self._stream(LIVE, "Watch", request)

    def bulk_request(self, batch: Iterable[ModuleCommand]) -> Any:
        """A batch as it is sent, for those who make theirs beforehand."""
        commands = [
            {"name": name, "cmd": cmd, "arg": to_message(self.protos.message(arg_type), arg or {})}
            for name, cmd, arg_type, arg in batch
        ]
        return to_message(self.protos.message("BulkCommandRequest"), {"commands": commands})

    def _as_request(self, batch: Iterable[ModuleCommand] | Message) -> Any:
        return batch if isinstance(batch, Message) else self.bulk_request(batch)

    def _live(self, method: str, fields: dict[str, Any]) -> Any:
        return self._traced_call(
            LIVE, method, to_message(self.protos.method(LIVE, method)[1], fields)
        )

    def _traced_call(self, service: str, method: str, request: Any) -> Any:
        raise NotImplementedError

    def _stream(self, service: str, method: str, requests: Any) -> Iterator[Any]:
        raise NotImplementedError
