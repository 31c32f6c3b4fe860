# SPDX-License-Identifier: Apache-2.0
"""What the rules that compile share, and one of them: each header compiles alone.

They read the release build's compile_commands.json, and remember what passed.
"""
from __future__ import annotations

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Iterable, Iterator

from tools import builder, shell
from tools.tree import Finding, Source, Tree

RELEASE = shell.BUILD / "release"
PASSED = shell.BUILD / "lint"

Flags = dict[str, list[str]]


def prepare(jobs: int) -> Flags:
    """Configures, makes the protos' headers, and returns the compiler's arguments by source."""
    builder.build("release", ["protos", "grpc_protos"], jobs, quiet=True)
    entries = json.loads((RELEASE / "compile_commands.json").read_text(encoding="utf-8"))
    flags = {}
    for entry in entries:
        path = os.path.relpath(entry["file"], shell.ROOT)
        words = shlex.split(entry["command"])
        words = words[1:] if os.path.basename(words[0]) == "ccache" else words
        flags[path] = words[1 : words.index("-o")]
    return flags


def check_headers(tree: Tree, flags: Flags, jobs: int) -> Iterator[Finding]:
    """Compiles each header as if nothing else existed; ccache makes the second time free.

    A header that some source includes before anything else needs no proof: the build is one.
    """
    stubs = PASSED / "headers"
    stubs.mkdir(parents=True, exist_ok=True)
    proven = {x.includes[0][1] for x in tree.sources(".cc") if x.path in flags and x.includes}
    headers = [x for x in tree.sources(".h") if x.path not in proven]

    def compile_alone(header: Source) -> Iterable[Finding]:
        stub = stubs / (header.path.replace("/", "__") + ".cc")
        write_if_new(stub, f'#include "{header.path}"\n')
        launcher = ["ccache"] if shutil.which("ccache") else []
        compiler = [*launcher, "c++", *flags_for(header.path, flags), "-O0", "-g0"]
        outcome = launch([*compiler, "-c", str(stub), "-o", f"{stub}.o"])
        return compiler_findings(header.path, outcome, "headers")

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for findings in pool.map(compile_alone, headers):
            yield from findings


def flags_for(header: str, flags: Flags) -> list[str]:
    """The arguments of the C++ source that is nearest to a header, which has none of its own."""

    def nearness(path: str) -> int:
        return len(os.path.commonpath([os.path.dirname(path), os.path.dirname(header)]))

    if not flags:
        raise shell.Failed("compile_commands.json is empty")
    sources = sorted(x for x in flags if x.endswith(".cc"))
    return [x for x in flags[max(sources, key=nearness)] if x != "-c"]


def launch(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a compiler from the build directory, as Ninja does, so that ccache sees one program."""
    env = {**os.environ, **builder.CCACHE}
    return subprocess.run(
        command,
        cwd=cwd or RELEASE,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def compiler_findings(
    path: str, outcome: subprocess.CompletedProcess[str], rule: str
) -> Iterator[Finding]:
    """Turns a compiler's messages into findings; a failure without any message is one as well."""
    if outcome.returncode == 0:
        return
    seen = False
    for line in dict.fromkeys(outcome.stdout.splitlines()):
        match = re.match(r"(.*?):(\d+):\d+: (?:fatal )?error: (.*)", line)
        if match:
            seen = True
            place = os.path.relpath(os.path.join(RELEASE, match.group(1)), shell.ROOT)
            yield Finding(
                place, int(match.group(2)), rule, match.group(3).replace(",-warnings-as-errors", "")
            )
    if not seen:
        yield Finding(path, 1, rule, outcome.stdout.strip()[-400:])


def write_if_new(path: Path, text: str) -> None:
    """Leaves a file alone that already says this, for the sake of whoever looks at its time."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
