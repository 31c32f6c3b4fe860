# SPDX-License-Identifier: Apache-2.0
"""Changes that happen as one commit, or not at all.

    edit = Transaction(bess)
    edit.disconnect_modules("a")
    edit.connect_modules("a", "b")
    edit.commit("past the queue")
"""

from typing import Any

from pybess.client import BESS
from pybess.errors import APIError


class Transaction(BESS):
    """Has the methods of the client and keeps what they ask for until `commit`.

    Answers are empty until then, so what later calls name has to be named by the caller.
    """

    def __init__(self, client: BESS):
        super().__init__()
        self.operations: list[Any] = []
        self._client = client
        self._operation = self.protos.message("Operation")
        fields = self._operation.DESCRIPTOR.oneofs_by_name["request"].fields
        self._fields = {field.message_type.full_name: field.name for field in fields}

    def commit(
        self,
        comment: str = "",
        expected_version: int = 0,
        dry_run: bool = False,
        strict: bool = False,
    ) -> Any:
        """Carries out all of it; returns the TransactResponse, which has one result a call."""
        return self._client.transact(self.operations, expected_version, dry_run, strict, comment)

    def _call(self, service: str, method: str, request: Any) -> Any:
        field = self._fields.get(request.DESCRIPTOR.full_name)
        if field is None:
            raise APIError(f"{method} cannot be part of a transaction")
        operation = self._operation()
        getattr(operation, field).CopyFrom(request)
        self.operations.append(operation)
        return self.protos.method(service, method)[2]()
