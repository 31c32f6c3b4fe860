# SPDX-License-Identifier: Apache-2.0
"""Rules that need a compiler: each header compiles alone, and clang-tidy has nothing to say.

Both read the release build's compile_commands.json, and both remember what passed: headers through
ccache, clang-tidy in build/lint by the hash of all that went in.
"""
from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Iterable, Iterator

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
    """Compiles each header as if nothing else existed; ccache makes the second time free."""
    stubs = PASSED / "headers"
    stubs.mkdir(parents=True, exist_ok=True)
    headers = [x for x in tree.sources(".h") if not x.path.startswith("tools/")]

    def compile_alone(header: Source) -> Iterable[Finding]:
        stub = stubs / (header.path.replace("/", "__") + ".cc")
        write_if_new(stub, f'#include "{header.path}"\n')
        launcher = ["ccache"] if shutil.which("ccache") else []
        compiler = [*launcher, "c++", *flags_for(header.path, flags), "-O0", "-g0"]
        outcome = launch([*compiler, "-c", str(stub), "-o", f"{stub}.o"])
        return compiler_findings(header.path, outcome)

    yield from in_parallel(compile_alone, headers, jobs)


def check_tidy(tree: Tree, flags: Flags, jobs: int) -> Iterator[Finding]:
    """Runs clang-tidy over what changed since it last passed.

    One file costs 2 to 4 seconds, nearly all of it in the headers of gRPC, protobuf and GoogleTest.
    Tests are left out, which keeps a cold run over the whole tree within 4 minutes on two cores;
    the headers they share with the rest are seen through the rest.
    """
    PASSED.mkdir(parents=True, exist_ok=True)
    sources = [x for x in tree.sources(".cc") if x.path in flags and not x.is_test]
    by_path = {x.path: x for x in tree.texts}
    common = by_path[".clang-tidy"].text if ".clang-tidy" in by_path else ""

    def tidy(source: Source) -> Iterable[Finding]:
        key = hashlib.sha256((common + shlex.join(flags[source.path])).encode())
        for path in sorted(closure(source.path, by_path)):
            key.update(by_path[path].text.encode())
        stamp = PASSED / f"{key.hexdigest()}.tidy"
        if stamp.exists():
            return []
        clang_flags = [x for x in flags[source.path] if x != "-c"]
        only_ours = f"--header-filter={shell.ROOT}/(core|modules|nf)/"
        command = [shell.tool("clang-tidy"), "--quiet", only_ours, source.path, "--", *clang_flags]
        outcome = launch(command, shell.ROOT)
        findings = list(compiler_findings(source.path, outcome, "tidy"))
        # What is C++ is for the compiler we build with to say: it knows more of C++20 than clang 14.
        findings = [x for x in findings if "[clang-diagnostic-error]" not in x.message]
        if not findings:
            stamp.touch()
        return findings

    yield from in_parallel(tidy, sources, jobs)


def flags_for(header: str, flags: Flags) -> list[str]:
    """The arguments of the source that is nearest to a header, which has none of its own."""

    def nearness(path: str) -> int:
        return len(os.path.commonpath([os.path.dirname(path), os.path.dirname(header)]))

    if not flags:
        raise shell.Failed("compile_commands.json is empty")
    return [x for x in flags[max(sorted(flags), key=nearness)] if x != "-c"]


def closure(path: str, by_path: dict[str, Source]) -> set[str]:
    """The files of this tree that go into one source, as far as its includes say."""
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        name = waiting.pop()
        if name.endswith(".pb.h"):
            name = "proto/" + re.sub(r"(\.grpc)?\.pb\.h$", ".proto", name)
        if name in by_path and name not in seen:
            seen.add(name)
            waiting += [included for _, included in by_path[name].includes]
    return seen


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
    path: str, outcome: subprocess.CompletedProcess[str], rule: str = "headers"
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


def in_parallel(
    check: Callable[[Source], Iterable[Finding]], sources: list[Source], jobs: int
) -> Iterator[Finding]:
    """Checks several files side by side; what two of them find in one header is said once."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        seen = set()
        for findings in pool.map(check, sources):
            for finding in findings:
                if finding not in seen:
                    seen.add(finding)
                    yield finding


def write_if_new(path: Path, text: str) -> None:
    """Leaves a file alone that already says this, for the sake of whoever looks at its time."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
