# SPDX-License-Identifier: Apache-2.0
"""Commands about traffic classes, plugins, classes of gate hooks and packet memory."""

from typing import Any

from besscli.errors import CommandError
from besscli.shell import Shell, command


@command("show tc", "lists the traffic classes")
def show_tc(shell: Shell) -> None:
    _show_tcs(shell, -1)


@command("show tc worker WORKER_ID...", "lists the traffic classes of some workers")
def show_tc_of(shell: Shell, wids: list[str]) -> None:
    for wid in wids:
        if not wid.isdecimal():
            raise CommandError(f"a worker id is a number, not '{wid}'")
        _show_tcs(shell, int(wid))


def _show_tcs(shell: Shell, wid: int) -> None:
    rows = []
    for status in shell.daemon().list_tcs(wid).classes_status:
        tc = getattr(status, "class")
        chosen = tc.WhichOneof("arg")
        amount = f"{chosen} {getattr(tc, chosen)}" if chosen else ""
        limits = ", ".join(f"{limit} {resource}/s" for resource, limit in tc.limit.items())
        rows.append([tc.name, tc.wid, status.parent, tc.policy, tc.resource, amount, limits])
    columns = ["traffic class", "worker", "parent", "policy", "resource", "share", "limit"]
    shell.table_or("There are no traffic classes.", columns, rows)


@command("show gatehookclass [HOOK...]", "lists the classes of gate hooks")
def show_gatehookclass(shell: Shell, names: list[str]) -> None:
    client = shell.daemon()
    infos = [
        client.get_gatehook_class_info(n) for n in names or client.list_gatehook_classes().names
    ]
    rows = [[info.name, ", ".join(info.cmds), info.help] for info in infos]
    shell.table_or("There are no gate hook classes.", ["class", "commands", "what it does"], rows)


@command("show system packets [SOCKET]", "shows the packet pools")
def show_packets(shell: Shell, socket: str | None) -> None:
    if socket and not socket.isdecimal():
        raise CommandError(f"a socket is a number, not '{socket}'")
    rows: list[list[Any]] = [
        [
            pool.socket,
            pool.mp_size,
            pool.mp_element_size,
            pool.mp_available_count,
            pool.mp_in_use_count,
        ]
        for pool in shell.daemon().dump_mempool(int(socket) if socket else -1).dumps
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


@command("unload plugin FILE", "makes the daemon unload a plugin")
def unload_plugin(shell: Shell, path: str) -> None:
    shell.daemon().unload_plugin(path)
