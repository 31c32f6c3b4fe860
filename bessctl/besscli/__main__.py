# SPDX-License-Identifier: Apache-2.0
"""Entry of the shell: `bessctl CMD ... -- CMD ...`, a script on stdin, or a terminal."""

import os
import sys

from rich.console import Console

from besscli import basic, capture, edit, live, monitor, run, show, signals, system, traffic, web
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


def one_shot(arguments: list[str]) -> list[str]:
    """The commands of a command line, split at `--`."""
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


def main() -> int:
    """Runs the shell in the way it was started; returns the exit status."""
    signals.heed()
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    try:
        if len(sys.argv) > 1:
            return run_lines(Shell(console), one_shot(sys.argv[1:]), numbered=False)
        if not sys.stdin.isatty():
            return run_lines(Shell(console), sys.stdin.read().splitlines(), numbered=True)
        from besscli.terminal import interact

        return interact(Shell(console, interactive=True))
    except KeyboardInterrupt:
        if not signals.ending():
            print("bessctl: interrupted", file=sys.stderr)
        return signals.ending() or INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
