# SPDX-License-Identifier: Apache-2.0
"""A shell whose output is kept."""

import io

from besscli import __main__ as entry
from besscli.shell import WIDE, Shell
from fake_daemon import FakeDaemon
from rich.console import Console

assert entry.COMMAND_MODULES, "the shell's commands are there once this is imported"


class Session:
    """Call it with lines; it returns what they printed."""

    def __init__(self, fake: FakeDaemon):
        self.output = io.StringIO()
        self.shell = Shell(Console(file=self.output, width=WIDE))
        self.shell.connect(fake.address)

    def __call__(self, *lines: str) -> str:
        self.output.seek(0)
        self.output.truncate()
        for line in lines:
            self.shell.execute(line)
        return self.output.getvalue()
