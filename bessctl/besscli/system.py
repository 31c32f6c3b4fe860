# SPDX-License-Identifier: Apache-2.0
"""Commands about plugins, classes of gate hooks and packet memory."""

from typing import Any

from besscli.shell import Shell, command
from besscli.values import whole_number


@command("show gatehookclass [HOOK_CLASS...]", "lists the classes of gate hooks")
def show_gatehookclass(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    infos = [
        client.get_gatehook_class_info(n) for n in names or client.list_gatehook_classes().names
    ]
    rows = [[info.name, ", ".join(info.cmds), info.help] for info in infos]
    shell.table_or("There are no gate hook classes.", ["class", "commands", "what it does"], rows)


@command("show system packets [SOCKET]", "shows the packet pools")
def show_packets(shell: Shell, socket: str | None) -> None:
    number = whole_number("a socket", socket) if socket else -1
    rows: list[list[Any]] = [
        [
            pool.socket,
            pool.mp_size,
            pool.mp_element_size,
            pool.mp_available_count,
            pool.mp_in_use_count,
        ]
        for pool in shell.daemon().dump_mempool(number).dumps
    ]
    columns = ["socket", "packets", "bytes each", "free", "in use"]
    shell.table_or("There are no packet pools.", columns, rows, tuple(columns))


@command("show plugin", "lists the plugins the daemon has loaded")
def show_plugin(shell: Shell) -> None:
    rows = [[path] for path in shell.daemon().list_plugins().paths]
    shell.table_or("There are no plugins.", ["plugin"], rows)


@command("import plugin FILE", "makes the daemon load a plugin")
def import_plugin(shell: Shell, path: str) -> None:
    shell.daemon().import_plugin(path)


@command("unload plugin PLUGIN", "makes the daemon unload a plugin")
def unload_plugin(shell: Shell, path: str) -> None:
    shell.daemon().unload_plugin(path)
