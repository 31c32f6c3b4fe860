# SPDX-License-Identifier: Apache-2.0
"""`help`, `quit`, `interactive`, `history shell`, `debug` and the `daemon` commands."""

import sys
from typing import Any

from besscli import launch
from besscli.errors import CommandError
from besscli.grammar import begins_with
from besscli.shell import COMMANDS, Quit, Shell, command


@command("help [KEYWORD...]", "lists the commands, or those that begin with some words")
def show_help(shell: Shell, words: list[str]) -> None:
    rows: list[list[Any]] = [
        [entry.pattern, entry.help]
        for entry in sorted(COMMANDS, key=lambda c: c.pattern)
        if begins_with(entry, words)
    ]
    if not rows:
        raise CommandError(f"no command begins with '{' '.join(words)}'")
    shell.table(["command", "what it does"], rows)


@command("quit", "leaves the shell")
def leave(_shell: Shell) -> None:
    raise Quit


@command("interactive", "goes on at the terminal, with completion and history")
def go_on(shell: Shell) -> None:
    if shell.interactive:
        raise CommandError("this is interactive already")
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to read from")
    # Only now: the line editor takes longer to load than most commands to run.
    from besscli.terminal import interact

    interact(shell)


@command("history shell", "lists the commands of this session")
def show_history(shell: Shell) -> None:
    for number, line in enumerate(shell.history, 1):
        shell.say(f"{number:5}  {line}")


@command("debug enable|disable", "prints every request and response, or stops doing so")
def debug(shell: Shell, state: str) -> None:
    shell.client.set_debug(state == "enable")


@command(
    "daemon start [ARGS]", "starts bessd in the background with these options and connects to it"
)
def daemon_start(shell: Shell, options: str) -> None:
    shell.client.disconnect()
    started = launch.start(options.split())
    shell.connect(started.address)
    shell.say(
        f"bessd runs (pid {started.pid}) and listens at {started.address}; it logs to {started.log}"
    )


@command("daemon stop", "ends the daemon")
def daemon_stop(shell: Shell) -> None:
    client = shell.daemon()
    modules = len(client.list_modules().modules)
    if modules and not shell.confirm(f"End the daemon and its {modules} modules?"):
        raise CommandError("left as it is")
    shell.running = None
    launch.stop(client)


@command("daemon reset", "removes all modules, ports, traffic classes and workers")
def daemon_reset(shell: Shell) -> None:
    client = shell.daemon()
    modules = len(client.list_modules().modules)
    if modules and not shell.confirm(f"Remove all {modules} modules?"):
        raise CommandError("left as it is")
    client.pause_all()
    client.reset_all()
    client.resume_all(check=False)
    shell.running = None


@command(
    "daemon connect [ADDRESS]",
    "connects to unix:/path, host:port or port; without one to the default",
)
def daemon_connect(shell: Shell, address: str | None) -> None:
    shell.connect(address)
    shell.say(f"connected to {shell.client.address}")


@command("daemon disconnect", "ends the connection; the daemon goes on")
def daemon_disconnect(shell: Shell) -> None:
    shell.disconnect()
