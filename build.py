#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The one door to the project: ./build.py --help lists what it does.

It is thin on purpose. CMake and Ninja know how to build, tools/ knows the rest, and this file only
says which words a person may type. It runs with any Python from 3.9 on and needs nothing else.
"""
from __future__ import annotations

import argparse
import sys

sys.dont_write_bytecode = True

from tools import builder, docs, lint, live, new_module, packages, shell, testing  # noqa: E402


def parser() -> argparse.ArgumentParser:
    """Declares every subcommand; each names the function that carries it out."""
    top = argparse.ArgumentParser(prog="./build.py", description="builds, runs and checks bessd")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary)

    setup = command("setup", "install what is missing of the system packages bessd needs")
    setup.set_defaults(act=lambda args: packages.setup())

    build = command("build", "compile; the daemon is then build/bessd")
    build.add_argument("--mode", choices=sorted(builder.MODES), default="release")
    build.add_argument(
        "--portable",
        action="store_true",
        help="for any x86-64 with SSE4.2 instead of this machine's CPU (in build/MODE-portable)",
    )
    add_jobs(build)
    build.add_argument("targets", nargs="*", help="CMake targets; everything when left out")
    build.set_defaults(act=builder.command)

    declare_plugin(command("plugin", "compile a directory of sources to build/MODE/modules/"))

    run = command("run", "build, then run the live demo")
    add_jobs(run)
    run.set_defaults(act=live.command)
    run.epilog = "What else is given goes to the demo: --replay, --seconds N, --driver af_xdp."

    bench = command("bench", "build, then measure against dpdk-testpmd")
    add_jobs(bench)
    bench.set_defaults(act=live.bench_command)
    bench.epilog = (
        "What else is given goes to the bench: scenarios, `sched`, `live`, `nf`, --json FILE, ..."
    )

    declare_test(command("test", "lint, build release, asan and tsan, and run every test in each"))

    check = command("lint", "check the house rules; silent rules passed")
    check.add_argument("--list", action="store_true", help="print the rules and stop")
    add_jobs(check)
    check.add_argument("rules", nargs="*", help="check only these rules")
    check.set_defaults(act=lint.command)

    tidy = command("format", "rewrite C++ and Python files as clang-format and black have it")
    tidy.set_defaults(act=lint.format_command)

    fresh = command("new-module", "start a module class from the template")
    fresh.add_argument("name", help="in snake_case, such as rate_meter")
    fresh.set_defaults(act=new_module.command)

    reference = command(
        "docs", "write build/docs/modules.md from the protos and the modules' pages"
    )
    reference.set_defaults(act=docs.command)
    return top


def declare_plugin(plugin: argparse.ArgumentParser) -> None:
    """The subcommand that compiles a plugin."""
    plugin.add_argument("directory", help="its *.cc and *.proto make one plugin, of its name")
    plugin.add_argument("--mode", choices=sorted(builder.MODES), default="release")
    add_jobs(plugin)
    plugin.set_defaults(act=builder.plugin_command)


def declare_test(test: argparse.ArgumentParser) -> None:
    """The subcommand that runs tests."""
    test.add_argument("--quick", action="store_true", help="release only, without slow tests")
    test.add_argument("--chaos", action="store_true", help="only the chaos tests, at full size")
    test.add_argument("--list", action="store_true", help="print the names and stop")
    add_jobs(test)
    test.add_argument("names", nargs="*", help="run only what has one of these in its name")
    test.set_defaults(act=testing.command)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Gives a subcommand the option that bounds how many processes run side by side."""
    command.add_argument(
        "-j", "--jobs", type=int, default=shell.default_jobs(), help="default: %(default)s"
    )


def main() -> int:
    """Runs one subcommand and returns its exit status."""
    known = parser()
    args, rest = known.parse_known_args()
    if rest and args.command not in ("run", "bench"):
        known.error(f"unrecognized arguments: {' '.join(rest)}")
    args.args = rest
    try:
        status = args.act(args)
    except shell.Failed as failure:
        print(f"build.py: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(status or 0)


if __name__ == "__main__":
    sys.exit(main())
