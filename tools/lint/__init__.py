# SPDX-License-Identifier: Apache-2.0
"""`build.py lint`: the house rules as scripts. Each rule is a function from a tree to findings."""
from __future__ import annotations

import argparse
import time
from typing import Callable, Iterable

from tools import docs, shell
from tools.lint import (
    compiled,
    complete,
    exceptions,
    formatters,
    layout,
    rooms,
    sizes,
    tidy,
    tokens,
)
from tools.tree import Finding, Tree

# Rules that read text, in a second or two together.
TEXT_RULES: dict[str, Callable[[Tree], Iterable[Finding]]] = {
    "rooms": rooms.check,
    "sizes": sizes.check,
    "tokens": tokens.check,
    "licence": layout.check_licence,
    "quartet": layout.check_quartet,
    "complete": complete.check,
    "leftovers": layout.check_leftovers,
    "docs": docs.check,
    "clang-format": formatters.check_clang_format,
    "black": formatters.check_black,
    "mypy": formatters.check_mypy,
}

# Rules that compile, and remember what they have seen.
COMPILED_RULES: dict[str, Callable[[Tree, compiled.Flags, int], Iterable[Finding]]] = {
    "headers": compiled.check_headers,
    "tidy": tidy.check,
}


def command(args: argparse.Namespace) -> int:
    """The subcommand."""
    names = [*TEXT_RULES, *COMPILED_RULES]
    if args.list:
        print("\n".join(names))
        return 0
    unknown = set(args.rules) - set(names)
    if unknown:
        raise shell.Failed(f"no rule is called {', '.join(sorted(unknown))}; --list shows them")
    return 1 if check(args.rules, args.jobs) else 0


def check(rules: list[str], jobs: int) -> int:
    """Prints what these rules (all, when none is named) find, and returns how many that is."""
    started = time.monotonic()
    tree = Tree(shell.ROOT)
    findings: list[Finding] = []
    chosen = [x for x in [*TEXT_RULES, *COMPILED_RULES] if not rules or x in rules]
    flags = compiled.prepare(jobs) if set(chosen) & set(COMPILED_RULES) else {}
    for name in chosen:
        if name in TEXT_RULES:
            findings += TEXT_RULES[name](tree)
        else:
            findings += COMPILED_RULES[name](tree, flags, jobs)
    remaining = list(exceptions.apply(findings, set(chosen), exceptions.TABLE))
    for finding in sorted(dict.fromkeys(remaining), key=lambda x: (x.path, x.line)):
        shell.say(str(finding))
    shell.say(f"sizes: {sizes.summary(tree)}")
    shell.say(f"lint: {len(remaining)} findings, {time.monotonic() - started:.0f} s")
    return len(remaining)


def format_command(_: argparse.Namespace) -> None:
    """`build.py format`."""
    formatters.rewrite(Tree(shell.ROOT))
