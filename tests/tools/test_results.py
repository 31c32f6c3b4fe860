# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong in a test program shows in the totals."""
from __future__ import annotations

import json
from pathlib import Path

from tools import results

GTEST = {
    "testsuites": [
        {
            "name": "A",
            "testsuite": [
                {"name": "Good", "status": "RUN", "result": "COMPLETED"},
                {"name": "Off", "status": "NOTRUN", "result": "SUPPRESSED"},
                {"name": "Skipped", "status": "RUN", "result": "SKIPPED"},
                {"name": "Bad", "status": "RUN", "failures": [{"failure": "a.cc:1"}]},
            ],
        }
    ]
}

PYTEST = """\
<testsuites><testsuite>
  <testcase classname="t" name="good"/>
  <testcase classname="t" name="skipped"><skipped message="no"/></testcase>
  <testcase classname="t" name="bad"><failure message="m">assert 0</failure></testcase>
  <testcase classname="t" name="broken"><error message="fixture"/></testcase>
</testsuite></testsuites>
"""


def test_gtest(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(json.dumps(GTEST), encoding="utf-8")
    result = results.read_gtest(tmp_path / "r")
    assert result.totals() == "1 passed, 1 failed, 2 skipped"
    assert result.failures == ["A.Bad\na.cc:1"]


def test_pytest(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(PYTEST, encoding="utf-8")
    result = results.read_pytest(tmp_path / "r")
    assert result.totals() == "1 passed, 2 failed, 1 skipped"
    assert result.failures == ["t::bad\nassert 0", "t::broken\nfixture"]


def test_totals_have_no_skips_when_there_are_none() -> None:
    assert results.Result(passed=3).totals() == "3 passed, 0 failed"


def test_adding_up() -> None:
    total = results.Result(1, 2, 3, ["a"])
    total.add(results.Result(1, 1, 1, ["b"]))
    assert total == results.Result(2, 3, 4, ["a", "b"])


def test_crash_before_the_report(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Segmentation fault\n", encoding="utf-8")
    result = results.conclude(None, -11, tmp_path / "log")
    assert result.failed == 1 and "Segmentation fault" in result.failures[0]


def test_no_report_at_all(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("", encoding="utf-8")
    assert results.conclude(None, 0, tmp_path / "log").failed == 1


def test_complaint_after_the_report(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("LeakSanitizer\n", encoding="utf-8")
    result = results.conclude(results.Result(passed=5), 99, tmp_path / "log")
    assert result.totals() == "5 passed, 1 failed"


def test_reported_failures_count_once(tmp_path: Path) -> None:
    reported = results.Result(passed=1, failed=2, failures=["a", "b"])
    assert results.conclude(reported, 1, tmp_path / "log").failed == 2
