# SPDX-License-Identifier: Apache-2.0
"""Completion at the terminal: keywords, names the daemon knows, fields of messages, variables of
scripts, files.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from besslang import ScriptError
from besslang.tokens import variables
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from pybess.address import default_address
from pybess.client import PORT_SHAPE
from pybess.errors import APIError, Error, RPCError

from besscli.edit import PORT_SETTINGS
from besscli.errors import CommandError
from besscli.grammar import REST, Command, following
from besscli.run import CONF_DIRS, find_script
from besscli.shell import COMMANDS, Shell

# The words of the line by the element of the command's pattern that each stands for.
Said = dict[str, str]

_FAILURES = (RPCError, APIError, Error, CommandError, ScriptError, OSError, KeyError, ValueError)


def _gates(client: Any, said: Said) -> list[str]:
    """The connected gates of a module; `in` is the element in|out."""
    info = client.get_module_info(said["MODULE"])
    if "in".startswith(said.get("in", "out")):
        return [str(gate.igate) for gate in info.igates]
    return [str(gate.ogate) for gate in info.ogates]


def _hooks(client: Any, _: Said) -> list[str]:
    return [hook.hook_name for hook in client.list_gatehooks().hooks]


def _commands(client: Any, said: Said) -> dict[str, str]:
    """The commands of the module or hook that is named, and what each takes."""
    if "HOOK" not in said:
        types: dict[str, str] = client.command_types(client.get_module_info(said["MODULE"]).mclass)
        return types
    found = next(h for h in client.list_gatehooks().hooks if h.hook_name == said["HOOK"])
    info = client.get_gatehook_class_info(found.class_name)
    return dict(zip(info.cmds, info.cmd_args))


# What an argument may be, by its name in the pattern.
_LISTS: dict[str, Callable[[Any, Said], Any]] = {
    "MODULE": lambda client, _: [module.name for module in client.list_modules().modules],
    "MCLASS": lambda client, _: client.list_mclasses().names,
    "PORT": lambda client, _: [port.name for port in client.list_ports().ports],
    "DRIVER": lambda client, _: client.list_drivers().driver_names,
    "WORKER_ID": lambda client, _: [str(w.wid) for w in client.list_workers().workers_status],
    "TC": lambda client, _: [getattr(s, "class").name for s in client.list_tcs().classes_status],
    "HOOK_CLASS": lambda client, _: client.list_gatehook_classes().names,
    "HOOK": _hooks,
    "CMD": lambda client, said: list(_commands(client, said)),
    "ARG_TYPE": lambda client, said: [_commands(client, said)[said["CMD"]]],
    "GATE": _gates,
    "OGATE": _gates,
    "PLUGIN": lambda client, _: client.list_plugins().paths,
    "VERSION": lambda client, _: [str(commit.version) for commit in client.get_history().commits],
    "SOCKET": lambda client, _: [str(pool.socket) for pool in client.dump_mempool().dumps],
}

# The same for what is known without a daemon.
_LOCAL: dict[str, Callable[[], Iterable[str]]] = {
    "CONF": lambda: [path.stem for root in CONF_DIRS for path in root.glob("*.bess")],
    "CORE": lambda: [str(core) for core in sorted(os.sched_getaffinity(0))],
    "ADDRESS": lambda: [default_address()],
    "HOST": lambda: ["localhost"],
}


class ShellCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, shell: Shell):
        self._shell = shell

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        text = document.text_before_cursor.lstrip()
        words = text.split()
        current = "" if not words or text.endswith((" ", "\t")) else words.pop()
        found: set[str] = set()
        for command, element in following(COMMANDS, words):
            if element.is_argument and {"FILE", "CONF"} & set(element.names):
                yield from PathCompleter(expanduser=True).get_completions(
                    Document(current), complete_event
                )
            if not element.is_argument:
                found.update(element.names)
            elif element.names[0] == "KEYWORD":
                found.update(
                    n
                    for _, e in following(COMMANDS, words[1:])
                    if not e.is_argument
                    for n in e.names
                )
            else:
                found.update(self._values(command, element.names[0], words))
        for name in sorted(found):
            if name.startswith(current):
                yield Completion(name, start_position=-len(current))

    def _values(self, command: Command, kind: str, words: list[str]) -> list[str]:
        said = {element.names[0]: word for element, word in zip(command.elements, words)}
        try:
            if kind == REST:
                return [f"{name}=" for name in self._fields(command.pattern, said)]
            if kind in _LOCAL:
                return list(_LOCAL[kind]())
            return list(_LISTS[kind](self._shell.daemon(), said)) if kind in _LISTS else []
        except _FAILURES:
            return []

    def _fields(self, pattern: str, said: Said) -> Iterable[str]:
        """The names that may stand before a `=`."""
        if pattern.startswith(("run", "apply", "diff")):
            script = find_script(said.get("CONF") or said["FILE"])
            return variables(script.read_text(encoding="utf-8"), str(script))
        if pattern.startswith("configure port"):
            return PORT_SETTINGS
        if "DRIVER" in said:
            return [*PORT_SHAPE, *self._message_fields(f"{said['DRIVER']}Arg")]
        return self._message_fields(said.get("ARG_TYPE") or f"{said['MCLASS']}Arg")

    def _message_fields(self, message: str) -> list[str]:
        found = self._shell.client.protos.find(message)
        return list(found.DESCRIPTOR.fields_by_name) if found else []
