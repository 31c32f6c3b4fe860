# SPDX-License-Identifier: Apache-2.0
"""Plugins, as a client and an operator see them."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import daemon as daemons
from demo.daemon import Daemon
from pybess import BESS
from pybess.errors import Error

NAME = "sequential_update.so"
DRIVER = "loop_port.so"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A directory of plugins with the sample in it."""
    directory = tmp_path / "plugins"
    shutil.copytree(Path(daemons.program()).resolve().parent / "modules", directory)
    return directory


@pytest.fixture
def host(plugins: Path) -> Iterator[Daemon]:
    """A daemon that loads from that directory."""
    with Daemon([f"--plugins={plugins}"]) as daemon:
        yield daemon


def refusal(client: BESS, path: Path) -> str:
    """Why the daemon does not load it."""
    with pytest.raises(Error) as caught:
        client.import_plugin(str(path))
    assert caught.value.code == -1
    return str(caught.value.errmsg)


def build(client: BESS) -> None:
    """src -> count -> out, where `count` is of the plugin's class."""
    field = {"offset": 26, "size": 4, "min": 1, "max": 1000}
    client.create_module("Source", "src")
    client.create_module("SequentialUpdate", "count", {"fields": [field]})
    client.create_module("Sink", "out")
    client.connect_modules("count", "out")
    client.connect_modules("src", "count")


def test_all_of_the_directory_is_there_from_the_start(host: Daemon, plugins: Path) -> None:
    client = host.client()
    assert sorted(client.list_plugins().paths) == [str(plugins / DRIVER), str(plugins / NAME)]
    build(client)
    more = {"fields": [{"offset": 30, "size": 2, "min": 0, "max": 9}]}
    client.run_module_command("count", "add", "SequentialUpdateArg", more)
    client.run_module_command("count", "clear", "EmptyArg", {})
    deadline = time.monotonic() + 5
    while client.get_ledger().totals.consumed == 0:
        assert time.monotonic() < deadline, "no packet came through the plugin"


def test_one_in_use_stays_and_one_that_went_comes_again(host: Daemon, plugins: Path) -> None:
    client = host.client()
    build(client)
    with pytest.raises(Error, match="module 'count'") as caught:
        client.unload_plugin(str(plugins / NAME))
    assert caught.value.code == -1
    client.reset_all()
    for _ in range(20):
        client.unload_plugin(str(plugins / NAME))
        assert NAME not in Path(f"/proc/{host.pid}/maps").read_text(encoding="utf-8")
        with pytest.raises(Error):
            client.create_module("SequentialUpdate", "count")
        client.import_plugin(str(plugins / NAME))
        build(client)
        client.reset_all()
    assert client.get_ledger().totals.unaccounted == 0


def test_a_driver_of_a_plugin_carries_packets(host: Daemon, plugins: Path) -> None:
    client = host.client()
    assert "LoopPort" in client.list_drivers().driver_names
    client.create_port("LoopPort", "loop", {"num_inc_q": 2, "num_out_q": 2})
    client.create_module("PortInc", "in", {"port": "loop"})
    client.create_module("Sink", "end")
    client.connect_modules("in", "end")
    client.create_module("Source", "src")
    client.create_module("PortOut", "out", {"port": "loop"})
    client.connect_modules("src", "out")
    deadline = time.monotonic() + 5
    while client.get_port_stats("loop").inc.packets == 0:
        assert time.monotonic() < deadline, "no packet came back"
    with pytest.raises(Error, match="port 'loop'"):
        client.unload_plugin(DRIVER)
    client.reset_all()
    client.unload_plugin(DRIVER)
    assert "LoopPort" not in client.list_drivers().driver_names
    assert DRIVER not in Path(f"/proc/{host.pid}/maps").read_text(encoding="utf-8")
    assert client.get_ledger().totals.unaccounted == 0


def test_a_new_build_of_the_code_takes_the_place_of_the_old(host: Daemon, plugins: Path) -> None:
    client = host.client()
    client.unload_plugin(NAME)
    fresh = plugins / "fresh"
    shutil.copy(plugins / NAME, fresh)
    os.replace(fresh, plugins / NAME)
    client.import_plugin(NAME)
    build(client)


def test_what_is_not_trusted_is_refused(host: Daemon, plugins: Path, tmp_path: Path) -> None:
    client = host.client()
    outside = tmp_path / NAME
    shutil.copy(plugins / NAME, outside)
    assert "is not in" in refusal(client, outside)
    (plugins / "link.so").symlink_to(outside)
    assert "is not in" in refusal(client, plugins / "link.so")
    shutil.copy(outside, plugins / "open.so")
    (plugins / "open.so").chmod(0o666)
    assert "written by everybody" in refusal(client, plugins / "open.so")


def test_what_is_no_plugin_is_refused_and_harmless(plugins: Path) -> None:
    good = (plugins / NAME).read_bytes()
    bad = {
        "text.so": (b"hello", "no ELF file"),
        "cut.so": (good[: len(good) // 3], "is no plugin"),
        "mute.so": (good.replace(b"bessd\0", b"other\0"), "BESS_PLUGIN"),
    }
    for name, (content, _) in bad.items():
        (plugins / name).write_bytes(content)
    with Daemon([f"--plugins={plugins}"]) as daemon:
        client = daemon.client()
        assert sorted(Path(path).name for path in client.list_plugins().paths) == [DRIVER, NAME]
        log = daemon.log.read_text(encoding="utf-8")
        for name, (_, words) in bad.items():
            assert any(name in line and words in line for line in log.splitlines()), name
            assert words in refusal(client, plugins / name)


def test_a_daemon_without_plugins_loads_none(plugins: Path) -> None:
    with Daemon(["--plugins="]) as daemon:
        client = daemon.client()
        assert not client.list_plugins().paths
        assert "without plugins" in refusal(client, plugins / NAME)
