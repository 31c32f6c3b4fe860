# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a script, and what cannot be known without a daemon."""


class ScriptError(Exception):
    """A script failed: where (line from 1, column from 0) and why."""

    def __init__(
        self,
        path: str,
        line: int,
        column: int,
        reason: str,
        text: str = "",
        end_column: int | None = None,
    ):
        super().__init__(reason)
        self.path = path
        self.line = line
        self.column = column
        self.end_column = (
            end_column if end_column is not None and end_column > column else column + 1
        )
        self.reason = reason
        lines = text.splitlines()
        self.source_line = lines[line - 1] if 0 < line <= len(lines) else ""

    def __str__(self) -> str:
        message = f"{self.path}:{self.line}:{self.column + 1}: {self.reason}"
        if not self.source_line.strip():
            return message
        width = min(self.end_column, len(self.source_line.rstrip())) - self.column
        margin = "".join("\t" if c == "\t" else " " for c in self.source_line[: self.column])
        return f"{message}\n    {self.source_line.rstrip()}\n    {margin}{'^' * max(1, width)}"


class ConfError(Exception):
    """Raised by a script that finds its configuration wrong."""


class NeedsDaemon(BaseException):
    """A script asked what only a live daemon knows; no `except Exception` of the script may hide
    this.
    """
