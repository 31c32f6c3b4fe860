# SPDX-License-Identifier: Apache-2.0
"""Entries for tables that are too large for one message."""
from __future__ import annotations

from itertools import islice
from typing import Any, Iterable

BATCH = 1000


def fill(client: Any, module: str, argument: str, entries: Iterable[dict[str, Any]]) -> None:
    """Gives the module's `add` each of the entries; RuntimeError for the first that it refuses."""
    rest = iter(entries)
    batches = iter(lambda: [(module, "add", argument, entry) for entry in islice(rest, BATCH)], [])
    for response in client.bulk_command(batches):
        refused = next((x.message for x in response.outcomes if x.code != 0), None)
        if refused is not None:
            raise RuntimeError(f"'{module}' refuses an entry: {refused}")
