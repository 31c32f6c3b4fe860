# SPDX-License-Identifier: Apache-2.0
"""Loads .bess scripts: into plain data with a RecordingClient, or into a daemon with a client.

    pipeline = load("src::Source() -> Sink()")
    print(pipeline.modules)
"""

import contextlib
import difflib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from pybess.errors import APIError, ConstraintError, Error, RPCError

from besslang.errors import ConfError, NeedsDaemon, ScriptError
from besslang.recorder import Pipeline, RecordingClient
from besslang.runtime import namespace
from besslang.syntax import compile_script, keyword_value

_SELF_EXPLAINING = (Error, APIError, ConfError, ConstraintError)


@dataclass
class Script:
    """A parsed script and where it came from."""

    path: str
    text: str
    code: CodeType

    @staticmethod
    def parse(path_or_text: str | Path) -> "Script":
        """Parses a file (a Path, or a string that ends in .bess) or a text; raises ScriptError."""
        if isinstance(path_or_text, Path) or (
            "\n" not in path_or_text and path_or_text.endswith(".bess")
        ):
            path = str(path_or_text)
            text = _decoded(path, Path(path).read_bytes())
        else:
            path, text = "<script>", path_or_text
        return Script(path, text, compile_script(text, path))


def _decoded(path: str, content: bytes) -> str:
    """The text of a file, with Unix's ends of lines."""
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start) - 1
        reason = f"byte {content[error.start]:#04x} is no UTF-8 text"
        raise ScriptError(path, line, column, reason) from None


def load(
    path_or_text: str | Path,
    client: RecordingClient | None = None,
    env: Mapping[str, Any] | None = None,
) -> Pipeline:
    """The state a script desires. Raises ScriptError if it is wrong, NeedsDaemon if it cannot be
    told without one.
    """
    recorder = client or RecordingClient()
    execute(Script.parse(path_or_text), recorder, env or {})
    return recorder.pipeline


def execute(script: Script, client: Any, env: Mapping[str, Any]) -> None:
    """Runs a script against a client; whatever goes wrong is a ScriptError that points at the
    script.

    RPCError and KeyboardInterrupt pass through: they say nothing about the script.
    """
    names = namespace(client, env, script.path)
    try:
        with _surroundings(script, env):
            exec(script.code, names)  # pylint: disable=exec-used
    except SystemExit as error:
        if error.code:
            raise _located(script, error, f"the script ended itself: {error.code}") from error
    except RPCError:
        raise
    except Exception as error:
        raise _located(script, error, _reason(error, names)) from error


@contextlib.contextmanager
def _surroundings(script: Script, env: Mapping[str, Any]) -> Iterator[None]:
    """Lets a script import from its own directory and find its variables in the environment too."""
    search_path, environ = sys.path[:], dict(os.environ)
    sys.path.insert(0, str(Path(script.path).resolve().parent))
    os.environ.update({name: str(value) for name, value in env.items()})
    try:
        yield
    finally:
        sys.path[:] = search_path
        os.environ.clear()
        os.environ.update(environ)


def rehearse(script: Script, client: RecordingClient, env: Mapping[str, Any]) -> None:
    """Runs a script against a recorder and keeps what it prints to itself.

    Raises ScriptError if the script is wrong, NeedsDaemon if that cannot be told: it reads what
    only a daemon knows, or it failed on the world outside after it made a port that exists in the
    record only.
    """
    client.script_path = script.path
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            execute(script, client, env)
    except ScriptError as error:
        if isinstance(error.__cause__, OSError) and client.pipeline.ports:
            raise NeedsDaemon(
                f"line {error.line}: {error.reason}, perhaps for want of a real port"
            ) from None
        raise


def _reason(error: Exception, names: Mapping[str, Any]) -> str:
    if isinstance(error, ConfError):
        return f"ConfError: {error}" if str(error) else "ConfError"
    if isinstance(error, _SELF_EXPLAINING):
        return str(error)
    if isinstance(error, NameError) and error.name:
        close = difflib.get_close_matches(
            error.name, [name for name in names if not name.startswith("_")], 1
        )
        return f"{error}" + (f"; did you mean {close[0]}?" if close else "")
    return f"{type(error).__name__}: {error}"


def _located(script: Script, error: BaseException, reason: str) -> ScriptError:
    """The error, placed at the innermost line of the script that was running."""
    line, column, end = 1, 0, None
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if code.co_filename == script.path:
            line, column, end = _position(code, frame.tb_lasti, frame.tb_lineno)
        frame = frame.tb_next
    line, column, end = _blamed(script, line, column, end, reason)
    return ScriptError(script.path, line, column, reason, script.text, end)


def _blamed(
    script: Script, line: int, column: int, end: int | None, reason: str
) -> tuple[int, int, int | None]:
    """The argument of a call that a reason begins with, such as `'size' must be` or `rules[1]: `;
    without one the call itself.
    """
    field = re.match(r"'?(\w+)", reason)
    value = keyword_value(script.text, script.path, line, column, field.group(1)) if field else None
    if value is None:
        return line, column, end
    one_line = value.lineno == value.end_lineno
    return value.lineno, value.col_offset, value.end_col_offset if one_line else None


def _position(code: CodeType, instruction: int, line: int) -> tuple[int, int, int | None]:
    for index, (start_line, end_line, column, end) in enumerate(code.co_positions()):
        if index == instruction // 2 and start_line is not None:
            one_line = start_line == end_line
            return start_line, column or 0, end if one_line else None
    return line, 0, None
