# SPDX-License-Identifier: Apache-2.0
"""Every place that may break a rule, and why. A line here that excuses nothing is itself an error."""
from __future__ import annotations

from typing import Iterable, Iterator

from tools.tree import Finding

# (rule, path, what the message begins with or "" for all): the reason.
Table = dict[tuple[str, str, str], str]

TABLE: Table = {
    ("tokens", "tools/lint/tokens.py", ""): "names what it forbids",
    ("tokens", "tests/lint/test_tokens.py", ""): "shows that each token is found",
    ("tokens", "core/base/counter.h", ""): "an atomic pointer owns each worker's cell",
    (
        "tokens",
        "core/graph/versioned.h",
        "",
    ): "an atomic pointer owns the value; readers come first",
    ("tokens", "core/graph/loop_buffer.cc", ""): "an atomic pointer owns each worker's loop",
    ("tokens", "core/sched/rcu.cc", "throw"): "out of memory as operator new has it",
    ("tokens", "core/main.cc", "printf"): "tells whoever started it, on stdout, that it is ready",
    ("tokens", "core/main.cc", "fprintf"): "tells why it could not start, with or without a log",
    (
        "tokens",
        "core/control/service.cc",
        "catch",
    ): "a request too big for memory ends that request",
    ("tokens", "core/control/live_service.cc", "catch"): "as in service.cc",
    ("tokens", "core/packet/packet_pool.cc", "std::abort"): "heap packets are for tests only",
    ("tokens", "core/port/pmd_device.cc", "snprintf"): "the owner's name is an array inside DPDK",
    ("tokens", "core/port/eal.cc", "vsnprintf"): "libbpf logs through a va_list",
    ("tokens", "core/port/eal.cc", "reinterpret_cast"): "what dlsym finds is a function",
    ("licence", "tools/lint/layout.py", ""): "names what it forbids",
}


def apply(findings: Iterable[Finding], rules: set[str], table: Table) -> Iterator[Finding]:
    """Drops what the table excuses, and adds each line of it that these rules no longer need."""
    used = set()
    for finding in findings:
        keys = [x for x in table if x[:2] == (finding.rule, finding.path)]
        excuse = next((x for x in keys if finding.message.startswith(x[2])), None)
        if excuse is None:
            yield finding
        used.add(excuse)
    for key in table:
        if key[0] in rules and key not in used:
            yield Finding(
                key[1], 1, key[0], f"needs no exception for {key[2] or 'anything'} any more"
            )
