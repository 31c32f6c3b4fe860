# SPDX-License-Identifier: Apache-2.0
"""The tree of traffic classes, and what each class got."""

from collections.abc import Callable
from pathlib import Path

import pytest
from besscli import monitor, traffic
from besscli.errors import CommandError
from fake_daemon import FakeDaemon
from session import Session


@pytest.fixture(name="classes")
def classes_of_a_daemon(fake: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """Worker 0: `fair` shares packets 3:1 between gold and tin; below gold a limit. Worker 1: one task."""
    monkeypatch.setattr(monitor, "INTERVAL", 0.0)
    state = fake.state
    state.add_tc("fair", policy="weighted_fair", resource="packet", wid=0)
    state.add_tc(
        "gold",
        policy="rate_limit",
        resource="bit",
        parent="fair",
        share=3,
        limit={"bit": 2000000000},
    )
    state.add_tc("tin", policy="round_robin", parent="fair", share=1)
    state.add_tc("other", policy="priority", wid=1)
    for name, parent in (("src", "gold"), ("q", "tin")):
        state.create_module("Queue", name)
        state.attach_task(name, parent)
    fake.usage = {
        "fair": {"count": 20, "cycles": 400, "packets": 40, "bits": 1},
        "gold": {"count": 10, "cycles": 300, "packets": 30, "bits": 1},
        "tin": {"count": 10, "cycles": 100, "packets": 10, "bits": 1},
    }
    return fake


def test_show_draws_the_tree(run: Session, classes: FakeDaemon) -> None:
    lines = run("show tc").splitlines()
    assert [line[:18].rstrip() for line in lines[1:]] == [
        "fair",
        "├─ gold",
        "│  ╰─ !leaf_src:0",
        "╰─ tin",
        "   ╰─ !leaf_q:0",
        "other",
    ]
    assert "share 3" in lines[2] and "2.000G bit/s" in lines[2] and "rate_limit bit" in lines[2]
    for wid in (0, 1):
        classes.state.add_worker(wid, wid)
    only = run("show tc worker 1 1")
    assert only.count("other") == 1
    with pytest.raises(CommandError, match="there is no worker '9'; known are: 0, 1"):
        run("show tc worker 9")
    assert "other" in only and "fair" not in only
    with pytest.raises(CommandError, match="a worker id is a number, not 'x'"):
        run("show tc worker x")


def test_monitor_shows_the_live_shares(run: Session, classes: FakeDaemon) -> None:
    branches = traffic.tree(run.shell.client.list_tcs().classes_status)
    stats = run.shell.client.protos.message("GetTcStatsResponse")
    names = [branch.tc.name for branch in branches]
    before = {name: stats(timestamp=1.0) for name in names}
    after = {name: stats(timestamp=3.0, **classes.usage.get(name, {})) for name in names}
    cells = {row.name: row.cells()[1:] for row in traffic.tc_rows(branches, before, after)}
    assert cells["gold"] == ["75", "5", "150", "15", "0.5", "10"]
    assert cells["tin"][0] == "25" and cells["fair"][0] == "100", "a root is alone on its worker"
    assert cells["other"] == ["-", "0", "0", "0", "0", "-"]


def test_monitor_keeps_the_tree_of_what_is_chosen(run: Session, classes: FakeDaemon) -> None:
    whole = run("monitor tc")
    assert "├─ gold" in whole and "   ╰─ !leaf_q:0" in whole
    chosen = run("monitor tc tin !leaf_q:0")
    assert "\ntin" in chosen and "╰─ !leaf_q:0" in chosen and "gold" not in chosen
    with pytest.raises(CommandError, match="there is no traffic class 'lead'; known are: "):
        run("monitor tc lead")


def test_csv(
    run: Session, classes: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSV", str(tmp_path / "rates.csv"))
    run("monitor tc tin")
    heading, line = (tmp_path / "rates.csv").read_text().splitlines()
    columns = "share %,runs/s,cycles/s,pps,bps (on the wire),cycles/packet"
    assert heading == f"time,traffic class,{columns}"
    assert line.split(",")[1:] == ["tin", "100.0", "10.0", "100.0", "10.0", "1.0", "10.0"]


def test_csv_grows_line_by_line(
    run: Session, classes: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rates.csv"
    seen: list[bytes] = []

    def watch(_shell: object, sample: Callable[[], object]) -> None:
        for _ in range(2):
            sample()
            seen.append(path.read_bytes())

    monkeypatch.setenv("CSV", str(path))
    monkeypatch.setattr(monitor, "_watch", watch)
    run("monitor tc tin")
    assert [lines.count(b"\r\n") for lines in seen] == [2, 3] and seen[1].endswith(b"\r\n")


def test_none(run: Session) -> None:
    assert "There are no traffic classes." in run("show tc")
    with pytest.raises(CommandError, match="there are no traffic classes to monitor"):
        run("monitor tc")
