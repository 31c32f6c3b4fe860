# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed comes back as it was, whatever it was doing."""

from pathlib import Path
from typing import Any

from demo.daemon import Daemon
from pybess import BESS

KILLS = 10
LIVE = "bess.native.Live"


def state_of(client: BESS) -> tuple[int, bytes]:
    """The version and the configuration of a daemon."""
    answer: Any = client._call(LIVE, "GetState", client.protos.message("GetStateRequest")())
    return answer.version, answer.state.SerializeToString(deterministic=True)


def build(client: BESS) -> None:
    """A pipeline that forwards, with a table in it."""
    client.create_module("Source", "source", {"pkt_size": 60})
    client.create_module("IPLookup", "routes", {"max_rules": 100})
    client.create_module("Sink", "sink")
    client.connect_modules("source", "routes")
    client.connect_modules("routes", "sink", ogate=1)
    client.run_module_command(
        "routes", "add", "IPLookupCommandAddArg", {"prefix": "0.0.0.0", "prefix_len": 0, "gate": 1}
    )


def edit(client: BESS, number: int) -> None:
    """One more route, and one more module."""
    route = {"prefix": f"10.{number}.0.0", "prefix_len": 16, "gate": 1}
    client.run_module_command("routes", "add", "IPLookupCommandAddArg", route)
    client.create_module("Bypass", f"bypass{number}")


def test_a_killed_daemon_comes_back_as_it_was(tmp_path: Path) -> None:
    journal = f"--journal={tmp_path}/kept"
    before: tuple[int, bytes] | None = None
    for number in range(KILLS):
        with Daemon([journal], directory=tmp_path) as daemon:
            client = daemon.client()
            if before is None:
                build(client)
            else:
                assert state_of(client) == before
            edit(client, number)
            before = state_of(client)
            client.disconnect()
            daemon.kill()
    with Daemon([journal], directory=tmp_path) as daemon:
        assert state_of(daemon.client()) == before


def test_one_that_a_client_ends_begins_anew(tmp_path: Path) -> None:
    journal = f"--journal={tmp_path}/kept"
    with Daemon([journal], directory=tmp_path) as daemon:
        build(daemon.client())
        daemon.client().kill()
        assert daemon.wait() == 0
    with Daemon([journal], directory=tmp_path) as daemon:
        assert list(daemon.client().list_modules().modules) == []
