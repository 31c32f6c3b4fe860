# SPDX-License-Identifier: Apache-2.0
"""The shell at a terminal: history and a prompt that says where it is connected."""

import asyncio
import os
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from pybess.errors import APIError, RPCError

from besscli import signals
from besscli.completion import ShellCompleter
from besscli.errors import CommandError
from besscli.shell import Quit, Shell


def interact(shell: Shell) -> int:
    """Reads and carries out commands until the operator leaves, or a signal ends the shell."""
    session: PromptSession[str] = PromptSession(
        history=_history(), completer=ShellCompleter(shell), complete_while_typing=False
    )
    shell.interactive = True
    shell.say("Type `help` for the commands, Tab to complete, `quit` or Ctrl-D to leave.")
    while not signals.ending():
        try:
            # A loop that is run to its end gives the terminal back whatever interrupts it.
            shell.execute(asyncio.run(session.prompt_async(_prompt(shell))))
        except CommandError as error:
            shell.console.print(
                str(error), style="red", markup=False, highlight=False, soft_wrap=True
            )
        except KeyboardInterrupt:
            if not signals.ending():
                shell.say("(interrupted; `quit` or Ctrl-D leaves)")
        except (Quit, EOFError):
            break
    return signals.ending()


def _prompt(shell: Shell) -> str:
    if not shell.client.is_connected():
        try:
            shell.daemon()
        except (RPCError, APIError, CommandError):
            return "(no daemon) $ "
    return f"{shell.client.address} $ "


def _history() -> History:
    directory = (
        Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bessctl"
    )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(directory / "history"))
