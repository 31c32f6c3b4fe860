# SPDX-License-Identifier: Apache-2.0
"""clang-tidy, over what changed since it last passed.

Nearly all that it costs, 3 to 6 seconds a file, goes into the headers of protobuf, gRPC and DPDK. So
several sources that are compiled alike go through it as one, which is 5 times as fast, and those
that cannot stand together, for a name they both have to themselves, go alone. Tests are left out,
for the same cost; what is in headers is seen through the sources.
"""
from __future__ import annotations

import concurrent.futures
import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator

from tools import shell
from tools.lint import compiled
from tools.tree import Finding, Source, Tree

TOGETHER = 8

# What clang says when two sources do not go together.
CLASH = re.compile(r"redefinition|ambiguous|conflict|redeclar|already defined|different type")


@dataclass(frozen=True)
class Job:
    """One source to look at, the files that go into it, and the file that says it passed."""

    source: Source
    parts: frozenset[str]
    flags: tuple[str, ...]
    stamp: Path


def check(tree: Tree, flags: compiled.Flags, jobs: int) -> Iterator[Finding]:
    """Looks at each source that is not known to be clean."""
    compiled.PASSED.mkdir(parents=True, exist_ok=True)
    stale = [x for x in all_jobs(tree, flags) if not x.stamp.exists()]
    seen = set()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for findings in pool.map(tidy, batches(stale, jobs)):
            for finding in findings:
                if finding not in seen:
                    seen.add(finding)
                    yield finding


def all_jobs(tree: Tree, flags: compiled.Flags) -> Iterator[Job]:
    """Names each source's stamp after all that decides what clang-tidy would say about it."""
    by_path = {x.path: x for x in tree.texts}
    settings = by_path[".clang-tidy"].text if ".clang-tidy" in by_path else ""
    for source in tree.sources(".cc"):
        if source.path not in flags or source.is_test:
            continue
        words = tuple(x for x in flags[source.path] if x != "-c")
        parts = closure(source.path, by_path)
        key = hashlib.sha256((settings + shlex.join(words)).encode())
        for path in sorted(parts):
            key.update(by_path[path].text.encode())
        yield Job(source, frozenset(parts), words, compiled.PASSED / f"{key.hexdigest()}.tidy")


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


def batches(stale: Iterable[Job], jobs: int) -> list[list[Job]]:
    """Puts together what is compiled alike, and leaves something for every CPU to do."""
    alike: dict[tuple[str, ...], list[Job]] = {}
    for job in stale:
        alike.setdefault(job.flags, []).append(job)
    found = []
    for group in alike.values():
        size = max(1, min(TOGETHER, -(-len(group) // jobs)))
        found += [group[i : i + size] for i in range(0, len(group), size)]
    return sorted(found, key=len, reverse=True)


def tidy(batch: list[Job]) -> list[Finding]:
    """Runs clang-tidy over some sources at once, and over each of them if they clash."""
    text = "".join(f'#include "{job.source.path}"\n' for job in batch)
    stub = compiled.PASSED / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.cc"
    compiled.write_if_new(stub, text)
    ours = f"--header-filter=^{shell.ROOT}/(core|modules|nf)/"
    program = [shell.tool("clang-tidy"), "--quiet", f"--config-file={shell.ROOT}/.clang-tidy", ours]
    # A flag that only GCC knows is not a finding.
    known = [*batch[0].flags, "-Wno-unknown-warning-option"]
    command = [*program, str(stub), "--", *known, f"-I{shell.ROOT}"]
    outcome = compiled.launch(command, shell.ROOT)
    findings = list(compiled.compiler_findings(batch[0].source.path, outcome, "tidy"))
    errors = [x for x in findings if "[clang-diagnostic-error]" in x.message]
    if len(batch) > 1 and any(CLASH.search(x.message) for x in errors):
        return [x for job in batch for x in tidy([job])]
    # What is C++ is for the compiler we build with to say: it knows more of C++20 than clang 14.
    findings = [x for x in findings if x not in errors]
    blamed = {x.path for x in findings}
    for job in batch:
        if not job.parts & blamed:
            job.stamp.touch()
    return findings
