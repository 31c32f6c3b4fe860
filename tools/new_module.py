# SPDX-License-Identifier: Apache-2.0
"""`build.py new-module NAME`: a module class that builds, passes its tests and does almost nothing."""
from __future__ import annotations

import argparse
import re
from pathlib import Path

from tools import shell

TEMPLATE = Path(__file__).resolve().parent / "module_template"
OLD = "module_template"
# Tests are known by their suites; none has the name of one module.
NEXT = (
    "the steps of 'A module in ten minutes' in CONTRIBUTING.md; "
    "then `./build.py test --quick lint modules packets`"
)


def command(args: argparse.Namespace) -> None:
    """The subcommand."""
    for path in create(shell.ROOT, args.name):
        shell.say(f"wrote {path.relative_to(shell.ROOT)}")
    shell.say(f"next: {NEXT}")


def create(root: Path, name: str) -> list[Path]:
    """Copies the template into a tree under a new name; nothing else there has to change."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or name.endswith("_test"):
        raise shell.Failed(f"{name}: a module's name is snake_case, such as rate_meter")
    new_paths = {source: target(root, source.name.replace(OLD, name)) for source in template()}
    for path in new_paths.values():
        if path.exists() or path.parent.name == name and path.parent.exists():
            raise shell.Failed(f"{path.relative_to(root)} exists; choose another name")
    for source, path in new_paths.items():
        text = source.read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rename(text, name), encoding="utf-8")
    return sorted(new_paths.values())


def template() -> list[Path]:
    """The template's files."""
    return sorted(TEMPLATE.glob(f"{OLD}*"))


def target(root: Path, file_name: str) -> Path:
    """Where a file of the template goes."""
    if file_name.endswith(".proto"):
        return root / "proto" / "modules" / file_name
    folder = re.sub(r"(_test|_bench)?\.\w+$", "", file_name)
    return root / "modules" / folder / file_name


def rename(text: str, name: str) -> str:
    """Gives the template's words the new name, in both spellings."""
    return text.replace(camel(OLD), camel(name)).replace(OLD, name)


def camel(name: str) -> str:
    """rate_meter -> RateMeter."""
    return "".join(part.capitalize() for part in name.split("_"))
