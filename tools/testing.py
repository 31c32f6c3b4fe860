# SPDX-License-Identifier: Apache-2.0
"""`build.py test`: builds every mode, runs every test in the modes that suit it, adds up."""
from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools import builder, lint, packages, results, shell

# The test programs of CMakeLists.txt, and which modes they run in. Thread sanitizer is for what has
# threads of its own; a program that the tree does not have yet is left out.
PROGRAMS = {
    "base_test": ["release", "asan"],
    "tc_test": ["release", "asan", "tsan"],
    "packet_test": ["release", "asan"],
    "graph_test": ["release", "asan", "tsan"],
    "match_test": ["release", "asan", "tsan"],
    "sched_test": ["release", "asan", "tsan"],
    "port_test": ["release", "asan"],
    "observe_test": ["release", "asan"],
    "control_test": ["release", "asan"],
    "modules_test": ["release", "asan"],
    "plugin_test": ["release", "asan"],
    "nf_test": ["release", "asan"],
    "stress_test": ["release", "asan", "tsan"],
}

# Data tests of modules run once more where a read past the end of a packet is seen.
ALSO_ASAN = "packets"

# Who has chaos tests, and how those are chosen by their names; at full size they take their time.
CHAOS = ["release/port_test", "asan/port_test", "release/tests/system"]
CHAOS_FILTER = "--gtest_filter=*Chaos*"
CHAOS_KEYWORD = ["-k", "chaos"]
CHAOS_FIGURES = "chaos: "  # what a line of their output begins with that people are to see
CHAOS_SECONDS = 4 * 3600

# What pytest ends with when the markers left nothing to run.
NO_TESTS_CHOSEN = 5

PROGRAM_SECONDS = 1200
SUITE_SECONDS = 1200

# Sanitizers stop at the first finding, with a status no test uses. DPDK's own libraries are not
# built for thread sanitizer, so what it sees inside them means nothing; our code is never excused.
SANITIZERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"exitcode=99:second_deadlock_stack=1:suppressions={shell.ROOT}/tools/tsan.supp",
}


@dataclass
class Run:
    """One test program or pytest directory in one mode; with `chaos` only its chaos tests."""

    name: str
    mode: str
    target: str = ""
    path: Path = field(default_factory=Path)
    chaos: bool = False

    def command(self, report: Path, quick: bool) -> list[str]:
        """The program and its arguments; it is to write its report there."""
        if self.target:
            program = str(shell.BUILD / self.mode / self.target)
            # Thread sanitizer's shadow memory needs the addresses a kernel may randomise away.
            front = ["setarch", "-R"] if self.mode == "tsan" and can_fix_addresses() else []
            some = [CHAOS_FILTER] if self.chaos else []
            return [*front, program, f"--gtest_output=json:{report}", "--gtest_brief=1", *some]
        python = shell.python_with("pytest", "grpc", "scapy.all", "matplotlib")
        wanted = CHAOS_KEYWORD if self.chaos else ["-m", "not slow"] if quick else []
        options = ["-q", "-ra", "--durations=5", f"--junitxml={report}"]
        return [python, "-m", "pytest", *options, *wanted, str(self.path)]

    def environment(self) -> dict[str, str]:
        """Tells the Python tests which build is under test."""
        out = shell.BUILD / self.mode
        return {
            **SANITIZERS,
            **({"BESS_CHAOS": "1"} if self.chaos else {}),
            "BESSD": str(out / "bessd"),
            "PACKET_RUNNER": str(out / "packet_runner"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def command(args: argparse.Namespace) -> int:
    """The subcommand; its last line is always the totals."""
    started = time.monotonic()
    known = chaos_runs() if args.chaos else all_runs(args.quick)
    runs = [x for x in known if chosen(x.name, args.names)]
    linting = not args.chaos and chosen("lint", args.names)
    if args.list:
        print("\n".join(["lint"] * linting + [x.name for x in runs]))
        return 0
    if not runs and not linting:
        raise shell.Failed(f"no test is called {' or '.join(args.names)}; --list shows the names")
    packages.setup()
    total = results.Result()
    shutil.rmtree(shell.LOGS, ignore_errors=True)
    shell.LOGS.mkdir(parents=True)
    if linting:
        total.add(lint_stage(args.jobs))
    for mode in ("release", "asan", "tsan"):
        total.add(mode_stage(mode, [x for x in runs if x.mode == mode], args))
    shell.say(f"\nall stages: {time.monotonic() - started:.0f} s; full logs in build/logs")
    shell.say(total.totals())
    return 1 if total.failed else 0


def chosen(name: str, words: list[str]) -> bool:
    """Whether a person who typed these words means this name."""
    return not words or any(word.rstrip("/") in name for word in words)


def all_runs(quick: bool) -> list[Run]:
    """Everything there is to run: programs that have sources, directories that have tests."""
    sources = {"modules_test": "modules/*/*_test.cc", "stress_test": "tests/stress/*_test.cc"}
    sources["nf_test"] = "nf/*_test.cc"
    sources["plugin_test"] = "sample_plugin/*/*_test.cc"
    runs = []
    for target, modes in PROGRAMS.items():
        pattern = sources.get(target, f"core/{target[:-5]}/*_test.cc")
        if any(shell.ROOT.glob(pattern)):
            runs += [Run(f"{mode}/{target}", mode, target) for mode in modes]
    for path in suites():
        name = str(path.relative_to(shell.ROOT))
        runs.append(Run(f"release/{name}", "release", path=path))
        if path.name == ALSO_ASAN:
            runs.append(Run(f"asan/{name}", "asan", path=path))
    return [x for x in runs if x.mode == "release"] if quick else runs


def chaos_runs() -> list[Run]:
    """Those that have chaos tests, for these alone."""
    return [replace(x, chaos=True) for x in all_runs(quick=False) if x.name in CHAOS]


def suites() -> list[Path]:
    """Each directory below tests/, and bessctl/tests, that has Python tests, as a run of its own."""
    places = [*sorted((shell.ROOT / "tests").glob("*/")), shell.ROOT / "bessctl" / "tests"]
    return [place for place in places if any(place.glob("**/test_*.py"))]


def lint_stage(jobs: int) -> results.Result:
    """Lints; however many findings there are, they are one failure among the tests."""
    shell.say("\n== lint")
    if lint.check([], jobs) == 0:
        return results.Result(passed=1)
    return results.Result(failed=1, failures=["lint"])


def mode_stage(mode: str, runs: list[Run], args: argparse.Namespace) -> results.Result:
    """Builds what these runs need in one mode and carries them out."""
    total = results.Result()
    if not runs:
        return total
    shell.say(f"\n== {mode}")
    try:
        everything = mode == "release" and not args.names and not args.chaos
        wanted = [] if everything else targets(mode, runs)
        builder.build(mode, wanted, args.jobs, quiet=not sys.stdout.isatty())
    except shell.Failed as failure:
        shell.say(str(failure))
        return results.Result(failed=len(runs), failures=[str(failure)])
    for run in runs:
        total.add(carry_out(run, args.quick))
    return total


def targets(mode: str, runs: list[Run]) -> list[str]:
    """What to compile: what is going to run, and what Python tests start."""
    programs = [x.target for x in runs if x.target]
    if len(programs) == len(runs):
        return programs
    return [*programs, "packet_runner", *["bessd"] * (mode == "release")]


def carry_out(run: Run, quick: bool) -> results.Result:
    """Runs one program and prints one line, and the text of its failures when it has any."""
    stem = run.name.replace("/", "-")
    log, report = shell.LOGS / f"{stem}.log", shell.LOGS / f"{stem}.report"
    started = time.monotonic()
    limit = CHAOS_SECONDS if run.chaos else PROGRAM_SECONDS if run.target else SUITE_SECONDS
    with open(log, "a", encoding="utf-8") as out:
        status = shell.run_limited(run.command(report, quick), run.environment(), out, limit)
    if status == NO_TESTS_CHOSEN and not run.target:
        status = 0
    read = results.read_gtest if run.target else results.read_pytest
    result = results.conclude(read(report) if report.exists() else None, status, log)
    shell.say(f"{run.name:40} {time.monotonic() - started:6.1f} s  {result.totals()}")
    if run.chaos:
        said = log.read_text(encoding="utf-8", errors="replace").splitlines()
        shell.say("\n".join(f"    {line}" for line in said if line.startswith(CHAOS_FIGURES)))
    for failure in result.failures:
        shell.say("\n" + "\n".join(f"    {line}" for line in failure.splitlines()[:80]) + "\n")
    return result


def can_fix_addresses() -> bool:
    """Whether this machine lets us ask for fixed addresses; some containers do not."""
    probe = ["setarch", "-R", "true"]
    return (
        bool(shutil.which("setarch"))
        and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0
    )
