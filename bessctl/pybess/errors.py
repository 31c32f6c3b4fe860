# SPDX-License-Identifier: Apache-2.0
"""The exceptions of the client: what the daemon refused, what never reached it, what was asked
wrongly.
"""

import os
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request: where ("modules/m0", or nothing), and what."""

    path: str
    errno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class StatusError(Error):
    """The daemon refused a request of a native service: all that is wrong with it, and the name of
    the gRPC status, such as "NOT_FOUND".
    """

    def __init__(self, status: str, problems: list[Problem], count: int):
        lines = [str(problem) for problem in problems]
        if count > len(problems):
            lines.append(f"and {count - len(problems)} more")
        text = lines[0] if len(lines) == 1 else "\n  ".join([f"{count} problems:", *lines])
        super().__init__(problems[0].errno, text)
        self.status = status
        self.problems = problems
        self.count = count


class RPCError(Exception):
    """The request did not reach the daemon, or no answer came back; `status` is the name of the gRPC
    status, if there is one.
    """

    def __init__(self, text: str, status: str = ""):
        super().__init__(text)
        self.status = status


class APIError(Exception):
    """The request was refused here because it cannot be right."""


class ConstraintError(Exception):
    """The pipeline breaks a scheduling constraint, so its workers were not resumed."""
