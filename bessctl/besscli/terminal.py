# SPDX-License-Identifier: Apache-2.0
"""The shell at a terminal: completion, history and a prompt that says where it is connected."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from pybess.errors import APIError, Error, RPCError

from besscli.errors import CommandError
from besscli.grammar import Element, following
from besscli.run import CONF_DIRS
from besscli.shell import COMMANDS, Quit, Shell

_LISTS: dict[str, Callable[[Any], list[str]]] = {
    "MODULE": lambda client: [module.name for module in client.list_modules().modules],
    "MCLASS": lambda client: list(client.list_mclasses().names),
    "PORT": lambda client: [port.name for port in client.list_ports().ports],
    "DRIVER": lambda client: list(client.list_drivers().driver_names),
    "WORKER_ID": lambda client: [
        str(worker.wid) for worker in client.list_workers().workers_status
    ],
    "TC": lambda client: [
        getattr(status, "class").name for status in client.list_tcs().classes_status
    ],
    "HOOK": lambda client: list(client.list_gatehook_classes().names),
}


class ShellCompleter(Completer):
    """Completes keywords, and names the daemon knows."""

    def __init__(self, shell: Shell):
        self._shell = shell

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        text = document.text_before_cursor.lstrip()
        words = text.split()
        current = "" if not words or text.endswith((" ", "\t")) else words.pop()
        found: set[str] = set()
        for element in following(COMMANDS, words):
            if element.is_argument and {"FILE", "CONF"} & set(element.names):
                yield from PathCompleter(expanduser=True).get_completions(
                    Document(current), complete_event
                )
            found.update(self._candidates(element, words))
        for name in sorted(found):
            if name.startswith(current):
                yield Completion(name, start_position=-len(current))

    def _candidates(self, element: Element, words: list[str]) -> list[str]:
        if not element.is_argument:
            return list(element.names)
        kind = element.names[0]
        if kind == "CONF":
            return [path.stem for root in CONF_DIRS for path in root.glob("*.bess")]
        try:
            if kind == "CMD":
                return list(self._commands_of(words[-1]))
            if kind == "ARG_TYPE":
                return [self._commands_of(words[-2])[words[-1]]]
            return _LISTS[kind](self._shell.daemon()) if kind in _LISTS else []
        except (RPCError, APIError, Error, CommandError, KeyError):
            return []

    def _commands_of(self, module: str) -> dict[str, str]:
        client = self._shell.daemon()
        types: dict[str, str] = client.command_types(client.get_module_info(module).mclass)
        return types


def interact(shell: Shell) -> int:
    """Reads and carries out commands until the operator leaves."""
    session: PromptSession[str] = PromptSession(
        history=_history(), completer=ShellCompleter(shell), complete_while_typing=False
    )
    shell.say("Type `help` for the commands, Tab to complete, `quit` or Ctrl-D to leave.")
    while True:
        try:
            shell.execute(session.prompt(_prompt(shell)))
        except CommandError as error:
            shell.console.print(
                str(error), style="red", markup=False, highlight=False, soft_wrap=True
            )
        except KeyboardInterrupt:
            shell.say("(interrupted; `quit` or Ctrl-D leaves)")
        except (Quit, EOFError):
            return 0


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
