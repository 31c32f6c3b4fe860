# SPDX-License-Identifier: Apache-2.0
"""Layout and types by the tools made for it: clang-format, black, mypy."""
from __future__ import annotations

import re
import subprocess
from typing import Iterator

from tools import shell
from tools.tree import CPP, PYTHON, Finding, Tree

# What one mypy run may see together; test directories have conftest.py files of the same name.
MYPY_TOGETHER = ("build.py", "tools/", "bessctl/", "sample_conf/", "bench/", "nf/")


def check_clang_format(tree: Tree) -> Iterator[Finding]:
    """Asks clang-format what it would change; only the place counts, `build.py format` repairs it."""
    names = [x.path for x in tree.sources(*CPP)]
    command = [shell.tool("clang-format"), "--dry-run", "--ferror-limit=0", *names]
    for path, line, _ in messages(command if names else [], tree, r"(.*?):(\d+):\d+: (.*)"):
        yield Finding(path, line, "clang-format", "not as clang-format has it: ./build.py format")


def check_black(tree: Tree) -> Iterator[Finding]:
    """Asks black which files it would change."""
    names = python_files(tree)
    command = [shell.tool("black"), "--check", *names]
    for path, _, _ in messages(command if names else [], tree, r"would reformat (.*)()()$"):
        yield Finding(relative(path, tree), 1, "black", "not as black has it: ./build.py format")


def check_mypy(tree: Tree) -> Iterator[Finding]:
    """Checks types: the programs in one run, each directory of tests in another."""
    groups: dict[str, list[str]] = {}
    for name in python_files(tree):
        if name.startswith(("tests/", "bessctl/tests/")):
            groups.setdefault(name.rsplit("/", 1)[0], []).append(name)
        elif name.startswith(MYPY_TOGETHER):
            groups.setdefault("", []).append(name)
    for directory, names in groups.items():
        # Tests import from the directory they are in, as pytest lets them.
        command = ["env", f"MYPYPATH={directory}", shell.tool("mypy"), "--no-error-summary", *names]
        for path, line, message in messages(command, tree, r"(.*?):(\d+): error: (.*)"):
            yield Finding(path, line, "mypy", message)


def rewrite(tree: Tree) -> None:
    """Changes the files instead of complaining about them."""
    cpp, python = [x.path for x in tree.sources(*CPP)], python_files(tree)
    for name, options, paths in (("clang-format", ["-i"], cpp), ("black", ["-q"], python)):
        if paths and shell.run([shell.tool(name), *options, *paths]) != 0:
            raise shell.Failed(f"{name} failed")


def python_files(tree: Tree) -> list[str]:
    """Every Python file of the tree."""
    return [x.path for x in tree.sources(*PYTHON)]


def relative(path: str, tree: Tree) -> str:
    """Takes the tree's own place off a path; black prints absolute ones."""
    return path[len(str(tree.root)) + 1 :] if path.startswith(str(tree.root)) else path


def messages(command: list[str], tree: Tree, pattern: str) -> Iterator[tuple[str, int, str]]:
    """Runs a tool and yields file, line and message of each line of output that has them."""
    if not command:
        return
    outcome = subprocess.run(
        command, cwd=tree.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    found = [m for m in (re.match(pattern, x) for x in outcome.stdout.splitlines()) if m]
    for match in found:
        yield match.group(1), int(match.group(2) or 1), match.group(3)
    if outcome.returncode != 0 and not found:
        raise shell.Failed(f"{command[0]} failed:\n{outcome.stdout.strip()}")
