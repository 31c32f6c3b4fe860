# SPDX-License-Identifier: Apache-2.0
"""The commands' patterns: how a line is matched to one, abbreviations included, and what could
follow a word.

A pattern is `show module [MODULE...]`: lower-case words are keywords (any unambiguous beginning
will do), `a|b` is a choice of keywords, UPPER-CASE words are arguments, brackets make one optional,
dots let it repeat. The argument ARGS takes the rest of the line as it is: optional words before it
may be left out if it begins with `-` or has a `=`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from besscli.errors import CommandError

REST = "ARGS"
USAGES = 4  # an error names no more


@dataclass(frozen=True)
class Element:
    """One word of a pattern."""

    names: tuple[str, ...]
    is_argument: bool
    optional: bool = False
    repeated: bool = False

    @property
    def is_choice(self) -> bool:
        """Whether the line chooses: one of several keywords, or whether there is one at all."""
        return not self.is_argument and (len(self.names) > 1 or self.optional)

    def matches(self, word: str) -> bool:
        return self.is_argument or any(name.startswith(word) for name in self.names)


@dataclass(frozen=True)
class Command:
    """A pattern, its help and the function that does it: called with the shell and one value an
    argument.
    """

    pattern: str
    help: str
    run: Callable[..., None]
    elements: tuple[Element, ...]


@dataclass
class Match:
    """A command and the values of its arguments, in order."""

    command: Command
    values: list[Any]


def parse_pattern(pattern: str) -> tuple[Element, ...]:
    """The elements of a pattern."""
    return tuple(_element(word) for word in pattern.split())


def _element(word: str) -> Element:
    optional = word.startswith("[")
    word = word.strip("[]")
    repeated = word.endswith("...")
    word = word.removesuffix("...")
    return Element(tuple(word.split("|")), word.isupper(), optional, repeated)


def match(commands: list[Command], line: str) -> Match:
    """The command a line means; raises CommandError if there is none or more than one."""
    words = line.split()
    candidates = commands
    for position, word in enumerate(words):
        fitting = [command for command in candidates if _fits(command, words, position)]
        exact = [command for command in fitting if _is_exact(command, words, position)]
        if not fitting:
            raise CommandError(_no_match(candidates, words, position))
        candidates = exact or fitting
        if _differ(candidates, words, position):
            names = sorted(
                {_element_at(command, words, position).names[0] for command in candidates}
            )
            raise CommandError(f"'{word}' is ambiguous here: {', '.join(names)}")
    complete = [command for command in candidates if _required(command) <= len(words)]
    if not complete:
        raise CommandError(f"'{line.strip()}' is not complete; {_usages(candidates, words)}")
    return Match(complete[0], _values(complete[0], line))


def following(commands: list[Command], words: list[str]) -> list[tuple[Command, Element]]:
    """What may come after some words, and in which command."""
    candidates = commands
    for position in range(len(words)):
        fitting = [command for command in candidates if _fits(command, words, position)]
        candidates = [c for c in fitting if _is_exact(c, words, position)] or fitting
    found: list[tuple[Command, Element]] = []
    for command in candidates:
        element = _find_element(command, words, len(words))
        if element is not None:
            found.append((command, element))
            last = command.elements[-1]
            if element.optional and element != last and last.names == (REST,):
                found.append((command, last))
    return found


def begins_with(command: Command, words: list[str]) -> bool:
    """Whether a line of these words, abbreviated or not, can be the beginning of a command."""
    return all(_fits(command, words, position) for position in range(len(words)))


def _find_element(command: Command, words: list[str], position: int) -> Element | None:
    """What the word at a position stands for, or may stand for when it comes."""
    if any(_begins_rest(command, word) for word in words[_required(command) : position + 1]):
        return command.elements[-1]
    if position < len(command.elements):
        return command.elements[position]
    last = command.elements[-1]
    return last if last.repeated or REST in last.names else None


def _element_at(command: Command, words: list[str], position: int) -> Element:
    element = _find_element(command, words, position)
    assert element is not None
    return element


def _fits(command: Command, words: list[str], position: int) -> bool:
    element = _find_element(command, words, position)
    return element is not None and element.matches(words[position])


def _is_exact(command: Command, words: list[str], position: int) -> bool:
    element = _element_at(command, words, position)
    return not element.is_argument and words[position] in element.names


def _differ(candidates: list[Command], words: list[str], position: int) -> bool:
    keywords = {
        _element_at(c, words, position).names
        for c in candidates
        if not _element_at(c, words, position).is_argument
    }
    return len(keywords) > 1


def _required(command: Command) -> int:
    return sum(not element.optional for element in command.elements)


def _no_match(candidates: list[Command], words: list[str], position: int) -> str:
    if position == 0:
        return f"there is no command '{words[0]}'; `help` lists what there is"
    expected = [_find_element(command, words, position) for command in candidates]
    keywords = sorted(
        {
            name
            for element in expected
            if element and not element.is_argument
            for name in element.names
        }
    )
    before = " ".join(words[:position])
    if keywords:
        return (
            f"'{words[position]}' cannot follow '{before}'; one of these can: {', '.join(keywords)}"
        )
    return f"'{words[position]}' is one word too many; {_usages(candidates, words[:position])}"


def _usages(candidates: list[Command], words: list[str]) -> str:
    """How the commands are used; of many the first, and how to see the others."""
    usage = "usage: " + " or ".join(f"`{command.pattern}`" for command in candidates[:USAGES])
    if len(candidates) <= USAGES:
        return usage
    known = [candidates[0].elements[position].names[0] for position in range(len(words))]
    return f"{usage} and {len(candidates) - USAGES} more; `help {' '.join(known)}`"


def _values(command: Command, line: str) -> list[Any]:
    """One value an argument or choice: a word, a list for a repeated one, the rest of the line for
    ARGS, or None.
    """
    values: list[Any] = []
    rest = line.strip()
    for element in command.elements:
        if element.is_argument and element.names == (REST,):
            values.append(rest)
        elif element.is_argument and element.repeated:
            values.append(rest.split())
        else:
            word, _, remaining = rest.partition(" ")
            if element.optional and _begins_rest(command, word):
                values.append(None)
                continue
            rest = remaining.strip()
            if element.is_choice:
                values.append(_chosen(element, word))
            elif element.is_argument:
                values.append(word or None)
    return values


def _begins_rest(command: Command, word: str) -> bool:
    if any(not element.is_argument and element.matches(word) for element in command.elements):
        return False
    return command.elements[-1].names == (REST,) and (word.startswith("-") or "=" in word)


def _chosen(element: Element, word: str) -> str | None:
    if not word:
        return None
    found = [name for name in element.names if name == word] or [
        n for n in element.names if n.startswith(word)
    ]
    if len(found) > 1:
        raise CommandError(f"'{word}' is ambiguous here: {', '.join(found)}")
    return found[0]
