# SPDX-License-Identifier: Apache-2.0
"""Commands about hooks, plugins, ports' settings and packet memory."""

import pytest
from besscli.errors import CommandError
from fake_daemon import FakeDaemon
from pybess.protos import protos
from session import Session


def test_plugins(run: Session, fake: FakeDaemon) -> None:
    assert "There are no plugins." in run("show plugin")
    assert "/opt/a.so" in run("import plugin /opt/a.so", "show plugin")
    run("unload plugin /opt/a.so")
    assert not fake.plugins
    with pytest.raises(CommandError, match="'/opt/a.so' is not loaded"):
        run("unload plugin /opt/a.so")


def test_configure_port(run: Session) -> None:
    run("add port PMDPort p vdev=x")
    assert "mtu=1500, admin_up=True" in run("configure port p")
    said = run("configure port p mtu=9000, mac_addr='02:00:00:00:00:01'")
    assert "mac_addr=02:00:00:00:00:01, mtu=9000" in said
    with pytest.raises(CommandError, match="a port has no setting 'speed'; it has: admin_up, "):
        run("configure port p speed=3")


def test_gate_hooks(run: Session, fake: FakeDaemon) -> None:
    assert "There are no gate hooks." in run("show gatehook")
    run("add module Source s", "add module Sink t", "add connection s t 2")
    run("track bit enable s out 2")
    fields = run("show gatehook").splitlines()[1].split()
    assert fields == ["track0", "Track", "s", "out", "2", "bess.pb.TrackArg"]
    assert run("show gatehookclass").count("\n") == 4 and "reset" in run("show gatehookclass Track")
    run("track reset s out 2")
    run("command gatehook track0 s out 2 reset EmptyArg")
    assert fake.hook_commands == [("track0", "reset")] * 2
    with pytest.raises(CommandError, match="nothing is counted at input gate 2 of 's'"):
        run("track reset s in 2")


def test_packet_memory(run: Session) -> None:
    assert run("show system packets").count("\n") == 3
    assert run("show system packets 1").splitlines()[1].split()[:2] == ["1", "1001"]
    with pytest.raises(CommandError, match="a socket is a number, not 'x'"):
        run("show system packets x")


def test_a_gate_has_one_track(run: Session, fake: FakeDaemon) -> None:
    def tracks() -> list[tuple[str, bool]]:
        arg = protos().message("TrackArg")
        return [(hook.hook_name, arg.FromString(hook.arg.value).bits) for hook in fake.hooks]

    run("add module Source s", "add module Sink t", "add connection s t", "add connection s t 1")
    assert "packets are counted at 2 more gates" in run("track enable")
    assert "Nothing to do: packets are counted there." in run("track enable")
    assert "bits are counted at 1 more gate," in run("track bit enable s out 1")
    assert tracks() == [("track0", False), ("track2", True)]
    assert "bits are counted at 1 more gate," in run("track bit enable")
    assert tracks() == [("track2", True), ("track3", True)] and len(fake.live.requests) == 3
    assert "no longer counted at 2 gates; packets are" in run("track bit disable")
    assert tracks() == [("track4", False), ("track5", False)]
    assert "bits are not counted there" in run("track bit disable")
    with pytest.raises(CommandError, match="output gate 7 of 's' is not connected"):
        run("track enable s out 7")


def test_two_tracks_of_a_gate_become_one(run: Session, fake: FakeDaemon) -> None:
    run("add module Source s", "add module Sink t", "add connection s t")
    for bits in (False, True):
        run.shell.client.track_gate(True, None, "s", "out", 0, bits)
    run("track enable")
    assert [hook.hook_name for hook in fake.hooks] == ["track1"], "it counts packets as well"
    run.shell.client.track_gate(True, None, "s", "out", 0, False)
    run("track bit disable")
    assert [hook.hook_name for hook in fake.hooks] == ["track2"]
