# SPDX-License-Identifier: Apache-2.0
"""The walls between the rooms stand."""
from __future__ import annotations

from typing import Callable

import pytest

from tools.lint import rooms
from tools.tree import Tree

FORBIDDEN = [
    ("core/base/a.h", "core/packet/packet.h"),
    ("core/graph/a.cc", "core/sched/worker.h"),
    ("core/observe/a.cc", "core/control/server.h"),
    ("core/graph/a_test.cc", "core/port/port.h"),
    ("modules/acl/acl.cc", "core/sched/worker.h"),
    ("modules/acl/acl.cc", "core/control/server.h"),
    ("modules/acl/acl.cc", "modules/nat.pb.h"),
    ("modules/acl/acl.cc", "modules/nat/nat.h"),
    ("modules/acl/acl.cc", "ports/vport.pb.h"),
    ("modules/acl/acl.cc", "bess/service.grpc.pb.h"),
    ("modules/acl/acl.cc", "rte_ethdev.h"),
    ("modules/acl/acl.cc", "rte_mbuf.h"),
    ("tools/module_template/module_template.cc", "core/port/port.h"),
    ("core/graph/a.cc", "grpcpp/grpcpp.h"),
    ("core/sched/a.cc", "rte_lcore.h"),
    ("core/base/a.cc", "rte_ring.h"),
    ("core/port/a.cc", "tests/packets/parser.h"),
    ("core/port/a.cc", "bench/yardstick.h"),
    ("nf/client.c", "core/base/bytes.h"),
    ("nf/client.c", "rte_ring.h"),
    ("nf/wire.h", "string.h"),
]

ALLOWED = [
    ("core/packet/a.h", "core/base/bytes.h"),
    ("core/packet/a.h", "rte_mbuf.h"),
    ("core/main.cc", "core/control/server.h"),
    ("core/main.cc", "grpcpp/grpcpp.h"),
    ("core/control/a.cc", "bess/service.grpc.pb.h"),
    ("core/port/a.cc", "rte_ethdev.h"),
    ("core/port/a.cc", "nf/wire.h"),
    ("core/sched/a.cc", "rte_rcu_qsbr.h"),
    ("core/sched/a_test.cc", "rte_eal.h"),
    ("modules/acl/acl.cc", "core/graph/module.h"),
    ("modules/acl/acl.cc", "modules/acl.pb.h"),
    ("modules/acl/acl_test.cc", "modules/acl/acl.h"),
    ("modules/acl/acl.cc", "rte_acl.h"),
    ("nf/wire.h", "stdint.h"),
    ("tests/stress/live_test.cc", "core/control/server.h"),
    ("tests/stress/live_test.cc", "tests/stress/load.h"),
]


@pytest.mark.parametrize("path,included", FORBIDDEN)
def test_forbidden(make_tree: Callable[..., Tree], path: str, included: str) -> None:
    findings = list(rooms.check(make_tree({path: f'#pragma once\n#include "{included}"\n'})))
    assert findings and {(x.path, x.line) for x in findings} == {(path, 2)}


@pytest.mark.parametrize("path,included", ALLOWED)
def test_allowed(make_tree: Callable[..., Tree], path: str, included: str) -> None:
    assert not list(rooms.check(make_tree({path: f"#include <{included}>\n"})))
