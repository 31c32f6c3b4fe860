# SPDX-License-Identifier: Apache-2.0
"""What test programs report, read from the files they write: counts, and the text of each failure."""
from __future__ import annotations

import json
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Result:
    """Counts of one test program, or of several added up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Adds another program's counts to these."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def totals(self) -> str:
        """The plain line a person, or a machine, looks for at the end."""
        line = f"{self.passed} passed, {self.failed} failed"
        return f"{line}, {self.skipped} skipped" if self.skipped else line

    def count(self, name: str, failures: list[str], skipped: bool) -> None:
        """Counts one test case."""
        if failures:
            self.failed += 1
            self.failures.append(f"{name}\n" + "\n".join(failures))
        elif skipped:
            self.skipped += 1
        else:
            self.passed += 1


def read_gtest(report: Path) -> Result:
    """Reads what --gtest_output=json wrote."""
    result = Result()
    for suite in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
        for case in suite["testsuite"]:
            failures = [x["failure"] for x in case.get("failures", [])]
            skipped = case["status"] == "NOTRUN" or case.get("result") == "SKIPPED"
            result.count(f"{suite['name']}.{case['name']}", failures, skipped)
    return result


def read_pytest(report: Path) -> Result:
    """Reads what pytest --junitxml wrote; an error in a fixture is a failure like any other."""
    result = Result()
    for case in xml.parse(report).getroot().iter("testcase"):
        problems = [*case.iter("failure"), *case.iter("error")]
        failures = [(x.text or x.get("message") or "").strip() for x in problems]
        skipped = next(case.iter("skipped"), None) is not None
        result.count(f"{case.get('classname')}::{case.get('name')}", failures, skipped)
    return result


def conclude(result: Result | None, status: int, log: Path) -> Result:
    """Makes sure that a program which did not end well counts as at least one failure.

    A crash, a sanitizer's complaint or a time limit may come after, or instead of, the report.
    """
    if result is None:
        result = Result()
        if status == 0:
            status = -1
    if status != 0 and result.failed == 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-80:]
        result.failed = 1
        result.failures.append("\n".join([f"ended with status {status}:", *tail]))
    return result
