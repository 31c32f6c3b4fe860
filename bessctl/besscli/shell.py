# SPDX-License-Identifier: Apache-2.0
"""The shell itself: its state, and how one line is carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from besslang import ScriptError
from pybess.client import BESS
from pybess.errors import APIError, ConstraintError, Error, RPCError
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from besscli.errors import CommandError
from besscli.grammar import Command, match, parse_pattern

WIDE = 250
COLUMN_GAP = 2
PROSE_WIDTH = 24  # a column of sentences is not made narrower
COMMANDS: list[Command] = []

Handler = Callable[..., None]


def command(pattern: str, help_text: str) -> Callable[[Handler], Handler]:
    """Adds a command to the shell: its function gets the shell and one value an argument of the
    pattern.
    """

    def add(function: Handler) -> Handler:
        COMMANDS.append(Command(pattern, help_text, function, parse_pattern(pattern)))
        return function

    return add


class Quit(Exception):
    """The operator wants to leave."""


class Shell:
    """One session: the connection, what runs in it, and where its output goes."""

    def __init__(self, console: Console, client: Any = None, interactive: bool = False):
        self.console = console
        self.client = client or BESS()
        self.interactive = interactive
        self.history: list[str] = []
        self.running: tuple[Any, dict[str, str]] | None = None
        self._disconnected_on_purpose = False

    def daemon(self) -> Any:
        """The client, connected; connects to the default daemon unless told to stay apart."""
        if self.client.is_connection_broken():
            address = self.client.address
            self.client.disconnect()
            self.client.connect(address)
        if not self.client.is_connected():
            if self._disconnected_on_purpose:
                raise CommandError("not connected; `daemon connect` connects")
            self.client.connect()
        return self.client

    def connect(self, address: str | None) -> None:
        """Connects anew."""
        self.client.disconnect()
        self.client.connect(address)
        self._disconnected_on_purpose = False

    def disconnect(self) -> None:
        """Stays apart from any daemon until told to connect."""
        self.client.disconnect()
        self._disconnected_on_purpose = True

    def execute(self, line: str) -> None:
        """Carries out one line; raises CommandError with a sentence for the operator, or Quit."""
        line = line.strip()
        if not line or line.startswith("#"):
            return
        self.history.append(line)
        found = match(COMMANDS, line)
        try:
            found.command.run(self, *found.values)
        except (RPCError, APIError, ConstraintError, ScriptError) as error:
            raise CommandError(str(error)) from error
        except Error as error:
            raise CommandError(f"the daemon refused: {error}") from error
        except BrokenPipeError:
            raise  # whoever read what this prints has seen enough
        except OSError as error:
            raise CommandError(
                f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
            ) from error

    def say(self, text: Any) -> None:
        """Prints text as it is."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Prints what the operator should know although the command goes on."""
        self.console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def table(self, columns: list[str], rows: list[list[Any]], right: tuple[str, ...] = ()) -> None:
        """Prints a table; the named columns are numbers."""
        self.console.print(make_table(columns, rows, right))

    def table_or(
        self, nothing: str, columns: list[str], rows: list[list[Any]], right: tuple[str, ...] = ()
    ) -> None:
        """Prints a table, or a sentence if it has no rows."""
        if rows:
            self.table(columns, rows, right)
        else:
            self.say(nothing)

    def confirm(self, question: str) -> bool:
        """Asks an operator who is there; a script is taken to mean what it says."""
        if not self.interactive:
            return True
        return self.console.input(f"{question} [y/N] ", markup=False).strip().lower() in (
            "y",
            "yes",
        )


@dataclass
class Listing:
    """Rows under headings; `right` are the columns of numbers. Names and numbers are never torn: where
    there is no room for columns, each row is a paragraph.
    """

    columns: list[str]
    rows: list[list[str]]
    right: tuple[str, ...]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        if self._least_width() <= options.max_width:
            yield self._table()
        else:
            yield from self._paragraphs()

    def _least_width(self) -> int:
        widths = [max(cell_len(text) for text in texts) for texts in zip(self.columns, *self.rows)]
        if self._ends_in_prose():
            widths[-1] = min(widths[-1], PROSE_WIDTH)
        return sum(widths) + COLUMN_GAP * (len(widths) - 1)

    def _ends_in_prose(self) -> bool:
        """Whether the last column may be wrapped between words."""
        return self.columns[-1] not in self.right and any(" " in row[-1] for row in self.rows)

    def _table(self) -> Table:
        table = Table(
            box=None,
            pad_edge=False,
            header_style="bold",
            show_edge=False,
            padding=(0, COLUMN_GAP, 0, 0),
        )
        for column in self.columns:
            wraps = column == self.columns[-1] and self._ends_in_prose()
            justify: JustifyMethod = "right" if column in self.right else "left"
            table.add_column(column, justify=justify, no_wrap=not wraps)
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _paragraphs(self) -> RenderResult:
        """The first value, and below it the others with their headings, unless there is only one."""
        width = max(map(cell_len, self.columns[1:]), default=0)
        for first, *others in self.rows:
            yield Text(first, "bold")
            for column, value in zip(self.columns[1:], others):
                heading = f"{column:<{width}}  " if len(others) > 1 else ""
                if value:
                    yield Padding(Text(heading + value), (0, 0, 0, 2), expand=False)


def make_table(columns: list[str], rows: list[list[Any]], right: tuple[str, ...] = ()) -> Listing:
    """A table without frills."""
    return Listing(columns, [[str(value) for value in row] for row in rows], right)
