# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the walls of the house (docs/design.md says why they stand where they do)."""
from __future__ import annotations

import os
import re
from typing import Iterator

from tools.tree import CPP, Finding, Source, Tree

RULE = "rooms"

# Each room may include itself and what stands to its left.
ORDER = ["base", "packet", "tc", "graph", "match", "sched", "port", "observe", "control"]
BELOW = {f"core/{name}": {f"core/{x}" for x in ORDER[: i + 1]} for i, name in enumerate(ORDER)}
BELOW["core/main.cc"] = {f"core/{x}" for x in ORDER}
BELOW["core/tc"] -= {"core/packet"}
BELOW["modules"] = {"core/base", "core/packet", "core/graph", "core/match"}
BELOW["nf"] = {"nf"}

GRPC = re.compile(r"grpc(pp)?/|.*\.grpc\.pb\.h$")
GRPC_ROOMS = {"core/control", "core/main.cc"}

# The part of DPDK that owns the machine: memory, threads, devices. The libraries that only compute
# (fib, acl, hash, meter, ip_frag, rcu) are free to whoever is made of them.
MACHINE = re.compile(
    r"rte_(eal\w*|ethdev\w*|mempool\w*|mbuf\w*|pktmbuf\w*|lcore|launch|per_lcore|dev|devargs|bus\w*"
    r"|malloc|memory|memzone|thread|service|interrupts|vfio|pci|telemetry)\.h$"
)
MACHINE_ROOMS = {"core/packet", "core/port", "core/main.cc"}


def check(tree: Tree) -> Iterator[Finding]:
    """Looks at each #include of each C and C++ file."""
    for source in tree.sources(*CPP):
        for line, name in source.includes:
            for problem in problems(source, name):
                yield Finding(source.path, line, RULE, problem)


def problems(source: Source, name: str) -> Iterator[str]:
    """Says what is wrong with one file that includes another."""
    target = room_of(name)
    if target in ("tests", "bench", "tools") and source.room not in ("tests", "bench", "tools"):
        yield f"{name}: only tests and benchmarks include from {target}/"
    if source.room in ("tests", "bench"):
        return
    here = "modules" if source.path.startswith("tools/module_template/") else source.room
    if target.startswith("core") and target not in BELOW.get(here, {target}):
        yield f"{here} may not include {name}"
    if here == "modules":
        yield from module_problems(source, name)
    if here == "nf":
        yield from nf_problems(source, name)
    if source.is_test:
        return
    yield from library_problems(here, name)


def room_of(name: str) -> str:
    """The room that an included file belongs to; empty for what is not ours."""
    source = Source(name, "")
    return source.room if source.room.split("/")[0] in ("core", "tests", "bench", "tools") else ""


def module_problems(source: Source, name: str) -> Iterator[str]:
    """A module knows the engine's first rooms and its own messages, never another module."""
    own = source.path.split("/")[-2]
    match = re.match(r"modules/(\w+?)(\.pb\.h|/.*)$", name)
    if match and match.group(1) != own:
        yield f"the module {own} may not include {name} of another module"
    if name.startswith(("ports/", "native/", "nf/", "bess/service")):
        yield f"a module may not include {name}"


def nf_problems(source: Source, name: str) -> Iterator[str]:
    """What a network function links stands alone; its shared-memory layout needs integers only."""
    if source.path == "nf/wire.h" and name != "stdint.h":
        yield f"nf/wire.h includes <stdint.h> only, not {name}"
    if name.startswith("rte_") or name.startswith("absl/") or name.endswith(".pb.h"):
        yield f"nf may not include {name}: a network function links no engine library"


def library_problems(here: str, name: str) -> Iterator[str]:
    """gRPC and the part of DPDK that owns the machine are each let into few rooms."""
    if here not in BELOW:
        return
    if GRPC.match(name) and here not in GRPC_ROOMS:
        yield f"{name}: gRPC is for core/control and core/main.cc"
    base = os.path.basename(name)
    if MACHINE.match(base) and here not in MACHINE_ROOMS:
        yield f"{name}: DPDK's memory, threads and devices are for core/packet and core/port"
    if base.startswith("rte_") and here == "core/base":
        yield f"{name}: core/base knows no DPDK"
