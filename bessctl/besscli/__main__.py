# SPDX-License-Identifier: Apache-2.0
"""Entry of the shell: `bessctl CMD ... -- CMD ...`, a script on stdin, or a terminal."""

import os
import re
import sys
from pathlib import Path

from rich.console import Console

from besscli import basic, capture, edit, live, monitor, run, show, system, traffic, web
from besscli import encoding, signals
from besscli.errors import CommandError
from besscli.shell import WIDE, Quit, Shell

COMMAND_MODULES = (
    basic,
    capture,
    edit,
    live,
    monitor,
    run,
    show,
    system,
    traffic,
    web,
)  # importing them registers their commands
INTERRUPTED = 130
VERSION_FILE = Path(__file__).resolve().parents[2] / "core" / "control" / "version.h"


def one_shot(arguments: list[str]) -> list[str]:
    """The commands of a command line, split at `--`; what asks any program for help does here."""
    if arguments[0] in ("-h", "--help"):
        arguments = ["help", *arguments[1:]]
    commands: list[list[str]] = [[]]
    for argument in arguments:
        if argument == "--":
            commands.append([])
        else:
            commands[-1].append(argument)
    return [" ".join(words) for words in commands if words]


def run_lines(shell: Shell, lines: list[str], numbered: bool) -> int:
    """Carries out commands until one fails or a signal ends the shell; returns the exit status."""
    for number, line in enumerate(lines, 1):
        try:
            shell.execute(line)
        except Quit:
            return 0
        except CommandError as error:
            where = f"line {number}: " if numbered else ""
            print(f"bessctl: {where}{error}", file=sys.stderr)
            return signals.ending() or 1
        if signals.ending():
            break
    return signals.ending()


def show_version(shell: Shell) -> int:
    """Prints the daemon's version; without a daemon that of the clone that this is part of."""
    try:
        shell.execute("show version")
    except CommandError as error:
        found = re.search(r'kVersion\[\] = "(.*)"', VERSION_FILE.read_text(encoding="utf-8"))
        assert found, "CMake reads it as well"
        shell.say(f"{found.group(1)} is what this bessctl belongs to; {error}")
    return 0


def main() -> int:
    """Runs the shell in the way it was started; returns the exit status."""
    signals.heed()
    encoding.make_do()
    try:
        status = run_as_started(Console() if sys.stdout.isatty() else Console(width=WIDE))
        sys.stdout.flush()  # here, where a reader that has gone is no trouble
        return status
    except KeyboardInterrupt:
        if not signals.ending():
            print("bessctl: interrupted", file=sys.stderr)
        return signals.ending() or INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run_as_started(console: Console) -> int:
    """Carries out the commands of the command line, of standard input, or of an operator."""
    if sys.argv[1:] == ["--version"]:
        return show_version(Shell(console))
    if len(sys.argv) > 1:
        return run_lines(Shell(console), one_shot(sys.argv[1:]), numbered=False)
    if not sys.stdin.isatty():
        return run_lines(Shell(console), sys.stdin.read().splitlines(), numbered=True)
    from besscli.terminal import interact

    return interact(Shell(console, interactive=True))


if __name__ == "__main__":
    sys.exit(main())
