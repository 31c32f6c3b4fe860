# SPDX-License-Identifier: Apache-2.0
"""A module made from the template builds and passes its tests, and changes no other file.

This is the promise that adding a module costs one folder and one proto. It is kept in a copy of
the tree; the compiler's cache makes that cheap.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME, CLASS = "tiny_thing", "TinyThing"
MADE = {
    "modules/tiny_thing/tiny_thing.cc",
    "modules/tiny_thing/tiny_thing_test.cc",
    "modules/tiny_thing/tiny_thing.pkt",
    "modules/tiny_thing/tiny_thing.md",
    "proto/modules/tiny_thing.proto",
}
NOT_COPIED = ("build", ".git", "compile_commands.json", "__pycache__", ".*_cache")


def files(root: Path) -> dict[str, bytes]:
    """Every file below a directory, with what is in it."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build_py(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the copy's build.py; its sources are relative to the copy, so the cache serves them."""
    command = [sys.executable, str(tree / "build.py"), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with a new module in it."""
    copy = tmp_path_factory.mktemp("copy") / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    before = files(copy)
    made = build_py(copy, "new-module", NAME)
    assert made.returncode == 0, made.stdout
    after = files(copy)
    assert set(after) - set(before) == MADE
    assert {name: after[name] for name in before} == before
    return copy


def test_refuses_names_that_are_taken_or_wrong(tree: Path) -> None:
    for name in (NAME, "bypass", "TinyThing", "tiny-thing", "tiny_test", "../x"):
        outcome = build_py(tree, "new-module", name)
        assert outcome.returncode == 1 and name in outcome.stdout


def test_no_template_word_is_left(tree: Path) -> None:
    for name in MADE:
        text = (tree / name).read_text(encoding="utf-8").lower()
        assert "template" not in text.replace("template <", ""), name


def test_house_rules_hold(tree: Path) -> None:
    rules = ["rooms", "sizes", "tokens", "licence", "quartet", "docs", "clang-format"]
    outcome = build_py(tree, "lint", *rules)
    assert [x for x in outcome.stdout.splitlines() if NAME in x] == []


@pytest.mark.slow
def test_builds_and_passes(tree: Path) -> None:
    built = build_py(tree, "build", "modules_test", "packet_runner")
    assert built.returncode == 0, built.stdout[-8000:]
    out = tree / "build" / "release"
    tests = [str(out / "modules_test"), f"--gtest_filter={CLASS}Test.*"]
    outcome = subprocess.run(tests, capture_output=True, text=True)
    assert outcome.returncode == 0 and "3 tests" in outcome.stdout, outcome.stdout
    packets = [sys.executable, "-m", "pytest", "-q", "-k", NAME, str(tree / "tests" / "packets")]
    env = {**os.environ, "PACKET_RUNNER": str(out / "packet_runner")}
    outcome = subprocess.run(packets, cwd=tree, env=env, capture_output=True, text=True)
    assert outcome.returncode == 0 and "2 passed" in outcome.stdout, outcome.stdout
