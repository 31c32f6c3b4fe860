# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed comes back as it was, whatever it was doing."""

import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from demo.daemon import Daemon
from pybess import BESS, RPCError

KILLS = 10
CHAOS_KILLS = 500 if "BESS_CHAOS" in os.environ else 10
LONGEST_LIFE = 0.1  # seconds from the first edit until the kill
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


class Editor:
    """Makes modules and takes them away, and remembers what the daemon acknowledged."""

    def __init__(self) -> None:
        self.edits = 0
        self.acknowledged: set[str] = set()  # the modules there are
        self.under_way: set[str] = set()  # and after the edit that was begun last
        self.state: tuple[int, bytes] | None = None  # when nothing was under way, if asked since

    def check(self, client: BESS) -> None:
        """What was acknowledged is there; what was under way is, or is not."""
        modules = {module.name for module in client.list_modules().modules}
        found = {name for name in modules if name.startswith("bypass")}
        assert found in (self.acknowledged, self.under_way)
        if self.state is not None and found == self.acknowledged:
            assert state_of(client) == self.state
        self.acknowledged = self.under_way = found

    def edit_until_it_dies(self, client: BESS) -> None:
        """Each edit is acknowledged, or the daemon is gone."""
        try:
            while True:
                self.edits += 1
                self._edit(client)
                self.acknowledged, self.state = self.under_way, None
                self.state = state_of(client)
        except RPCError:
            client.disconnect()

    def _edit(self, client: BESS) -> None:
        if self.acknowledged:
            self.under_way = set()
            client.destroy_module(*self.acknowledged)
        else:
            self.under_way = {f"bypass{self.edits}"}
            client.create_module("Bypass", *self.under_way)


def test_chaos_a_daemon_killed_amid_edits_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The source makes packets all the time; nothing is left behind in the directory either."""
    rng = random.Random(1)
    editor = Editor()
    left: set[str] = set()
    for _ in range(CHAOS_KILLS):
        with Daemon([f"--journal={tmp_path}/kept"], directory=tmp_path) as daemon:
            client = daemon.client()
            if not editor.edits:
                build(client)
            editor.check(client)
            thread = threading.Thread(target=editor.edit_until_it_dies, args=(client,))
            thread.start()
            time.sleep(rng.uniform(0, LONGEST_LIFE))
            daemon.kill()
            thread.join()
        left = left or {path.name for path in tmp_path.iterdir()}
    with Daemon([f"--journal={tmp_path}/kept"], directory=tmp_path) as daemon:
        editor.check(daemon.client())
    assert {path.name for path in tmp_path.iterdir()} <= left | {"kept.old"}
    with capsys.disabled():
        print(f"\nchaos: {CHAOS_KILLS} kills amid {editor.edits} edits, none acknowledged was lost")


def test_one_that_a_client_ends_begins_anew(tmp_path: Path) -> None:
    journal = f"--journal={tmp_path}/kept"
    with Daemon([journal], directory=tmp_path) as daemon:
        build(daemon.client())
        daemon.client().kill()
        assert daemon.wait() == 0
    with Daemon([journal], directory=tmp_path) as daemon:
        assert list(daemon.client().list_modules().modules) == []
