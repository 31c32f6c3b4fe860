# SPDX-License-Identifier: Apache-2.0
"""Live change by the shell against a real daemon: only what differs is changed, what is saved comes
back, and all that is wrong is told.
"""

from pathlib import Path

import pytest
from demo.daemon import Daemon
from pybess import BESS, StatusError, Transaction
from test_bessctl import REPO, bessctl, fine

SAMPLES = sorted(path.stem for path in (REPO / "sample_conf").glob("*.bess"))
NEEDS_MORE = {"live", "pcap_replay"}  # ports of the machine, files

CHAIN = """
src::Source(pkt_size=int($SIZE!60)) -> q::Queue(size=64)
q -> em::ExactMatch(fields=[{'offset': 26, 'num_bytes': 4}]) -> routes::IPLookup() -> out::Sink()
em.add(fields=[{'value_int': 7}], gate=0)
em.set_default_gate(gate=0)
routes.add(prefix='0.0.0.0', prefix_len=0, gate=0)
"""


@pytest.fixture(name="script")
def chain(tmp_path: Path) -> Path:
    path = tmp_path / "chain.bess"
    path.write_text(CHAIN, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in NEEDS_MORE])
def test_what_runs_is_what_the_script_says(daemon: Daemon, name: str, tmp_path: Path) -> None:
    saved = str(tmp_path / "saved.bess")
    fine(daemon, "run", name)
    assert "Nothing differs" in fine(daemon, "diff", name)
    said = fine(daemon, "save", saved, "--", "apply", saved)
    assert "Nothing differs" in said


@pytest.mark.parametrize("name", ["scheduler", "spread", "nat", "wildcard_match", "worker_split"])
def test_what_is_saved_comes_back(daemon: Daemon, client: BESS, name: str, tmp_path: Path) -> None:
    saved, again = tmp_path / "saved.bess", tmp_path / "again.bess"
    fine(daemon, "run", name, "--", "save", str(saved), "--", "daemon", "reset")
    assert not client.list_modules().modules
    fine(daemon, "apply", str(saved), "--", "save", str(again))
    assert again.read_text() == saved.read_text()


def test_only_what_differs_is_changed(daemon: Daemon, client: BESS, script: Path) -> None:
    fine(daemon, "apply", str(script))
    before = client.get_module_info("src").ogates[0].pkts
    more = "routes.add(prefix='10.0.0.0', prefix_len=8, gate=0)\n"
    script.write_text(script.read_text().replace("'value_int': 7", "'value_int': 8") + more)
    said = fine(daemon, "apply", str(script))
    assert "~ em (modules)" in said and "~ routes (modules)" in said
    assert (
        "+ routes.set_runtime_config(routes=[{'prefix': '0.0.0.0'}, {'prefix': '10.0.0.0'" in said
    )
    assert said.splitlines()[-1].endswith(": 2 changed.")
    assert client.get_module_info("src").ogates[0].pkts >= before
    said = fine(daemon, "apply", str(script), "SIZE=128")
    assert "± src (replaced)" in said and "1 replaced" in said


def test_history_goes_back(daemon: Daemon, client: BESS, script: Path) -> None:
    fine(daemon, "apply", str(script))
    version = client.get_state().version
    fine(daemon, "apply", str(script), "SIZE=128")
    said = fine(daemon, "history", "--", "rollback", str(version))
    assert said.splitlines()[1].split()[0] == str(version + 1) and "1 replaced" in said
    assert "Nothing differs" in fine(daemon, "diff", str(script))
    status, _, complaint = bessctl(daemon, "rollback", "999999")
    assert status == 1 and "999999" in complaint


def test_all_that_is_wrong_is_told(daemon: Daemon, client: BESS, tmp_path: Path) -> None:
    script = tmp_path / "wrong.bess"
    script.write_text("a::Queue(size=3)\nb::Source() -> c::Source()\n", encoding="utf-8")
    status, _, complaint = bessctl(daemon, "apply", str(script))
    assert status == 1 and "Nothing was changed." in complaint
    assert "wrong.bess:1: modules/a: " in complaint
    assert "wrong.bess:2: connections/b:0: " in complaint
    assert not client.list_modules().modules


def test_a_transaction_is_one_commit(daemon: Daemon, client: BESS, script: Path) -> None:
    fine(daemon, "apply", str(script))
    version = client.get_state().version
    edit = Transaction(client)
    edit.create_module("Bypass", "between")
    edit.disconnect_modules("src")
    edit.connect_modules("src", "between")
    edit.connect_modules("between", "q")
    assert edit.commit("a bypass", expected_version=version).version == version + 1
    assert client.get_history(limit=1).commits[0].comment == "a bypass"
    with pytest.raises(StatusError) as caught:
        edit.commit("once more", expected_version=version)
    assert caught.value.status == "ABORTED"


def test_tables_change_in_bulk(daemon: Daemon, client: BESS, script: Path) -> None:
    fine(daemon, "apply", str(script))
    add = "IPLookupCommandAddArg"
    routes = [
        ("routes", "add", add, {"prefix": f"10.{i}.0.0", "prefix_len": 16, "gate": i % 2})
        for i in range(200)
    ]
    wrong = ("routes", "add", add, {"prefix": "10.0.0.1", "prefix_len": 8})
    answers = list(client.bulk_command([routes[:100], [*routes[100:], wrong]]))
    codes = [outcome.code for answer in answers for outcome in answer.outcomes]
    assert codes[:200] == [0] * 200 and codes[200] != 0
