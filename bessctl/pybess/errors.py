# SPDX-License-Identifier: Apache-2.0
"""The exceptions of the client: what the daemon refused, what never reached it, what was asked
wrongly.
"""

import os
from typing import Any


class Error(Exception):
    """The daemon refused a request: an errno, its reason, and what was asked."""

    def __init__(self, code: int, errmsg: str, info: Any = None):
        super().__init__(code, errmsg, info)
        self.code = code
        self.errmsg = errmsg
        self.info = info

    def __str__(self) -> str:
        return (
            self.errmsg or f"the daemon answered error {self.code} ({os.strerror(abs(self.code))})"
        )


class RPCError(Exception):
    """The request did not reach the daemon, or no answer came back."""


class APIError(Exception):
    """The request was refused here because it cannot be right."""


class ConstraintError(Exception):
    """The pipeline breaks a scheduling constraint, so its workers were not resumed."""
