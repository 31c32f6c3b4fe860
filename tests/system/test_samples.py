# SPDX-License-Identifier: Apache-2.0
"""Each sample runs, keeps its books, and sends packets where its comments say they go."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from besslang import Script, execute
from demo import books
from demo.books import Books
from demo.daemon import Daemon
from pybess import BESS
from scapy.all import ICMP, IP, TCP, UDP, PcapReader  # type: ignore[attr-defined]

SAMPLES = Path(__file__).resolve().parents[2] / "sample_conf"
BATCH = 64
RUN_SECONDS = 0.3
IN_STEP = 0.001  # how far shares may be off: less than a batch is on its way


def run(client: BESS, name: str, env: dict[str, str] | None = None) -> None:
    """Starts a sample as `bessctl run` does."""
    client.pause_all()
    client.reset_all()
    execute(Script.parse(SAMPLES / f"{name}.bess"), client, env or {})
    client.resume_all()


def outcome(client: BESS, name: str, env: dict[str, str] | None = None) -> Books:
    """Lets a sample run for a moment, stops it and reads its books, which have to add up."""
    run(client, name, env)
    time.sleep(RUN_SECONDS)
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up, kept
    assert kept.totals.created > 1000
    return kept


def share(kept: Books, name: str) -> float:
    """The part of all packets made that ended in a module."""
    return kept.entry(name).consumed / int(kept.totals.created)


def test_source_sink(client: BESS) -> None:
    kept = outcome(client, "source_sink", {"SIZE": "1000"})
    assert kept.totals.consumed == kept.totals.created and kept.totals.dropped == 0
    assert kept.entry("out").consumed == kept.entry("src").created


def test_l2_switch(client: BESS) -> None:
    kept = outcome(client, "l2_switch")
    assert kept.totals.dropped == 0
    assert share(kept, "first") == pytest.approx(0.5, rel=IN_STEP)
    assert share(kept, "second") == pytest.approx(0.25, rel=IN_STEP)
    assert share(kept, "uplink") == pytest.approx(0.25, rel=IN_STEP)


def test_firewall(client: BESS) -> None:
    kept = outcome(client, "firewall")
    created = kept.totals.created
    assert share(kept, "server") == pytest.approx(0.25, rel=IN_STEP)
    assert kept.entry("firewall").drops["denied"] / created == pytest.approx(0.5, rel=IN_STEP)
    assert kept.entry("firewall").drops["no_match"] / created == pytest.approx(0.25, rel=IN_STEP)
    assert kept.totals.consumed + kept.totals.dropped == created


def test_nat(client: BESS) -> None:
    kept = outcome(client, "nat")
    assert kept.entry("outside").consumed == kept.entry("asking").created
    answers = kept.entry("answering").created
    assert kept.entry("inside").consumed / answers == pytest.approx(0.5, rel=0.01)
    assert set(kept.entry("nat").drops) == {"no_mapping"}


def test_queue_workers(client: BESS) -> None:
    run(client, "queue_workers", {"SIZE": "256"})
    workers = client.list_workers().workers_status
    assert [(worker.wid, worker.running, worker.num_tcs) for worker in workers] == [
        (0, True, 1),
        (1, True, 1),
    ]
    time.sleep(RUN_SECONDS)
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up, kept
    assert kept.entry("out").consumed > 0
    assert kept.totals.held <= 256
    assert set(kept.totals.dropped_by_reason) <= {"queue_full"}


def test_scheduler(client: BESS) -> None:
    run(client, "scheduler")
    time.sleep(RUN_SECONDS)  # the bursts are used up
    classes = ("voice", "bronze", "!leaf_gold_src:0", "!leaf_silver_src:0", "!leaf_scavenger_src:0")
    voice, bronze, gold, silver, scavenger = rates(client, classes, "packets")
    assert voice == pytest.approx(100_000, rel=0.02)
    assert bronze == pytest.approx(50_000, rel=0.02)
    assert gold / silver == pytest.approx(3, rel=0.01)
    assert scavenger == 0
    client.update_tc_params("voice", resource="packet", limit={"packet": 0})
    time.sleep(0.1)
    before_gold = client.get_tc_stats("rest").packets
    time.sleep(0.1)
    assert client.get_tc_stats("rest").packets == before_gold, "without a limit it takes all"


def rates(client: BESS, names: tuple[str, ...], field: str) -> list[float]:
    """What classes use in a second."""
    before = [client.get_tc_stats(name) for name in names]
    time.sleep(1)
    after = [client.get_tc_stats(name) for name in names]
    return [
        (getattr(b, field) - getattr(a, field)) / (b.timestamp - a.timestamp)
        for a, b in zip(before, after, strict=True)
    ]


def test_link(client: BESS) -> None:
    run(client, "link")
    time.sleep(RUN_SECONDS)
    leaves = ("!leaf_voice:0", "!leaf_gold:0", "!leaf_silver:0")
    link, voice, gold, silver = rates(client, ("link", *leaves), "bits")
    assert link == pytest.approx(100e6, rel=0.02)
    assert voice == pytest.approx(10e6, rel=0.02), "all that it sends"
    assert gold / silver == pytest.approx(3, rel=0.03), "by bits, not by packets"
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up, kept
    assert kept.totals.dropped == 0, "what the link cannot take is not made"
    for queue in ("mid", "gold", "silver"):
        status = client.run_module_command(queue, "get_status", "QueueCommandGetStatusArg", {})
        assert status.count > status.size / 20, "both hops are filled again and again"


def test_replicate_split(client: BESS) -> None:
    kept = outcome(client, "replicate_split")
    made = kept.entry("src").created
    assert kept.entry("double").created == made, "one copy of each"
    assert kept.entry("recorder").consumed == made
    for name in ("zero", "one", "two"):
        assert kept.entry(name).consumed / made == pytest.approx(0.25, rel=IN_STEP)
    assert set(kept.totals.dropped_by_reason) == {"dead_end"}
    assert kept.entry("split").dropped / made == pytest.approx(0.25, rel=IN_STEP)


def test_metadata(client: BESS) -> None:
    kept = outcome(client, "metadata")
    assert kept.totals.dropped == 0
    assert share(kept, "urgent") == pytest.approx(1 / 3, rel=IN_STEP)
    assert share(kept, "normal") == pytest.approx(2 / 3, rel=IN_STEP)
    attributes = client.get_module_info("split").metadata
    assert [(a.name, a.size, a.mode, a.offset >= 0) for a in attributes] == [
        ("class", 1, "read", True)
    ]


def test_spread(client: BESS) -> None:
    kept = outcome(client, "spread")
    made = kept.entry("src").created
    for name in ("first", "second", "third"):
        assert kept.entry(name).consumed / made == pytest.approx(1 / 3, rel=IN_STEP)
    assert kept.entry("all").consumed == made, "Merge takes in what both gates lead to"
    for name in ("left", "right"):
        flows = 16 * kept.entry(name).went / made
        assert 1 < flows < 15 and flows == pytest.approx(round(flows), rel=IN_STEP), "whole flows"
    assert kept.entry("lossy").drops["denied"] / made == pytest.approx(0.25, rel=0.05)
    assert kept.entry("lucky").consumed / made == pytest.approx(0.375, rel=0.05)
    for number in range(4, 8):
        assert kept.entry(f"number{number}").consumed / made == pytest.approx(1 / 16, rel=0.01)
    assert kept.entry("numbers").drops["dead_end"] / made == pytest.approx(12 / 16, rel=IN_STEP)


def test_worker_split(client: BESS) -> None:
    kept = outcome(client, "worker_split")
    assert kept.totals.dropped == 0
    made = {kept.entry("src0").created, kept.entry("src1").created}
    assert {kept.entry("zero").consumed, kept.entry("one").consumed} == made and 0 not in made


def test_updates(client: BESS) -> None:
    kept = outcome(client, "updates")
    for number in range(4):
        assert share(kept, f"out{number}") == pytest.approx(1 / 6, rel=0.05)
    aged_out = kept.entry("age").dropped / int(kept.totals.created)
    assert aged_out == pytest.approx(1 / 3, rel=IN_STEP)
    assert dict(kept.totals.dropped_by_reason).keys() == {"ttl_expired"}


def test_vlan(client: BESS) -> None:
    kept = outcome(client, "vlan")
    assert kept.totals.dropped == 0
    for source, sink in (("native", "out0"), ("tenant5", "out5"), ("tenant6", "out6")):
        assert kept.entry(sink).consumed == kept.entry(source).created > 0


def test_port_queues(client: BESS) -> None:
    kept = outcome(client, "port_queues")
    for queue in "01":
        received, sent = kept.entry(f"in{queue}"), kept.entry(f"out{queue}")
        assert sent.consumed == received.created > 0
    stats = client.get_port_stats("nic")
    assert stats.inc.packets == stats.out.packets == kept.totals.created


def test_buffer(client: BESS) -> None:
    kept = outcome(client, "buffer")
    assert kept.totals.dropped == 0 and kept.totals.held < BATCH
    (before,), (after,) = (client.get_module_info(name).ogates for name in ("src", "buffer"))
    assert before.cnt == before.pkts, "one by one"
    assert after.pkts / after.cnt > BATCH / 2, "nearly full batches"


def test_router(client: BESS) -> None:
    kept = outcome(client, "router")
    for name in ("hop0", "hop1", "hop2"):
        assert share(kept, name) == pytest.approx(0.25, rel=IN_STEP)
    assert dict(kept.totals.dropped_by_reason).keys() == {"dead_end"}


def test_bpf(client: BESS) -> None:
    kept = outcome(client, "bpf")
    assert kept.totals.dropped == 0
    assert share(kept, "rest") == pytest.approx(0.5, rel=IN_STEP)
    assert share(kept, "dns") == pytest.approx(0.25, rel=IN_STEP)
    assert share(kept, "opening") == pytest.approx(0.25, rel=IN_STEP)


def test_checksums(client: BESS) -> None:
    kept = outcome(client, "checksums")
    assert kept.totals.dropped == 0
    for name in ("good", "fixed_ip", "fixed_udp"):
        assert share(kept, name) == pytest.approx(1 / 3, rel=IN_STEP)


def test_encapsulation(client: BESS) -> None:
    kept = outcome(client, "encapsulation")
    assert kept.entry("out").consumed == kept.totals.created, "all came out as they went in"


def test_flows(client: BESS) -> None:
    kept = outcome(client, "flows")
    assert kept.totals.dropped == 0
    for number in range(4):
        assert share(kept, f"out{number}") == pytest.approx(0.25, rel=0.4)


def test_arp(client: BESS) -> None:
    kept = outcome(client, "arp")
    assert share(kept, "answers") == pytest.approx(0.5, rel=IN_STEP)
    assert kept.entry("arp").dropped / kept.totals.created == pytest.approx(0.5, rel=IN_STEP)


def test_exact_match(client: BESS) -> None:
    kept = outcome(client, "exact_match")
    assert kept.totals.dropped == 0
    assert share(kept, "dns") == pytest.approx(0.5, rel=IN_STEP)
    assert share(kept, "ntp") == share(kept, "rest") == pytest.approx(0.25, rel=IN_STEP)


def test_wildcard_match(client: BESS) -> None:
    kept = outcome(client, "wildcard_match")
    assert kept.totals.dropped == 0
    assert share(kept, "dns") == pytest.approx(0.5, rel=IN_STEP)
    assert share(kept, "inside") == pytest.approx(0.25, rel=IN_STEP)
    assert share(kept, "rest") == pytest.approx(0.25, rel=IN_STEP)


def test_placement(client: BESS) -> None:
    kept = outcome(client, "placement")
    assert kept.totals.consumed > 0
    written = {a.name: a for a in client.get_module_info("writer").metadata}
    (read,) = client.get_module_info("reader").metadata
    assert (read.name, read.size) == ("flow", 4)
    assert written["flow"].offset == read.offset >= 0
    assert written["unread"].offset < 0, "nobody reads it"


def test_measuring(client: BESS, daemon: Daemon) -> None:
    run(client, "measuring")
    assert daemon.next_line().endswith("look: packet of 60 bytes")
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up and kept.entry("out").consumed > 0
    assert set(kept.totals.dropped_by_reason) <= {"queue_full"}
    wanted = {"latency_percentiles": [50, 99]}
    summary = client.run_module_command(
        "took", "get_summary", "MeasureCommandGetSummaryArg", wanted
    )
    assert summary.packets == summary.latency.count == kept.entry("out").consumed
    half, nearly_all = summary.latency.percentile_values_ns
    assert summary.latency.min_ns <= half <= nearly_all <= summary.latency.max_ns


def wait_until(reached: Callable[[], bool]) -> None:
    """Waits for a bounded time."""
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def test_nf_chain_without_functions(client: BESS, tmp_path: Path) -> None:
    kept = outcome(client, "nf_chain", {"DIR": str(tmp_path), "RATE": "100000"})
    assert kept.entry("to0").drops == {"tx_full": kept.totals.created}


def test_pcap_replay(client: BESS, tmp_path: Path) -> None:
    written = tmp_path / "out.pcap"
    with PcapReader(str(SAMPLES / "inside.pcap")) as capture:
        frames = list(capture)
    run(client, "pcap_replay", {"OUT": str(written)})
    wait_until(lambda: bool(client.get_ledger().totals.created == len(frames)))
    client.pause_all()
    kept = books.read(client)
    assert kept.add_up, kept
    client.reset_all()
    with PcapReader(str(written)) as capture:
        passed = [bytes(frame) for frame in capture]
    assert passed == [bytes(frame) for frame in frames if IP in frame]
    assert kept.totals.consumed == len(passed)
    assert dict(kept.totals.dropped_by_reason) == {"no_match": len(frames) - len(passed)}


def test_the_captures_are_small_and_varied() -> None:
    for name in ("inside", "outside"):
        path = SAMPLES / f"{name}.pcap"
        assert path.stat().st_size < 100_000
        with PcapReader(str(path)) as capture:
            frames = list(capture)
        kinds = {layer.__name__ for frame in frames for layer in (ICMP, UDP, TCP) if layer in frame}
        assert kinds == {"ICMP", "UDP", "TCP"}
        assert {frame.type for frame in frames} >= {0x0800, 0x0806}
        flags = "".join(str(frame[TCP].flags) for frame in frames if TCP in frame)
        assert {"S", "A", "P", "F"} <= set(flags)


def test_live_replays_the_captures_both_ways(client: BESS) -> None:
    kept = outcome(client, "live")
    assert kept.entry("to_outside").consumed > 0, "what hosts inside sent left"
    assert kept.entry("to_inside").consumed > 0, "and the answers found them"
    assert kept.entry("leaving").drops["denied"] > 0, "telnet is forbidden"
    assert kept.entry("inside_l2").drops["no_match"] > 0, "ARP is a broadcast"
    for port, module in (("inside", "from_inside"), ("outside", "from_outside")):
        assert client.get_port_stats(port).inc.packets == kept.entry(module).created


def test_live_gives_ports_and_memory_back(client: BESS) -> None:
    for _ in range(3):
        run(client, "live")
        wait_until(lambda: bool(client.get_ledger().totals.consumed > 0))
        client.reset_all()
        assert not client.list_ports().ports
        assert client.dump_mempool().dumps[0].mp_in_use_count == 0
        totals = client.get_ledger().totals
        assert totals.unaccounted == 0 and totals.held == 0


def test_every_sample_is_tested() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    for path in SAMPLES.glob("*.bess"):
        assert any(name.startswith(path.stem) for name in tested), f"{path.name} has no test"
