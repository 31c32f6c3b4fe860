# SPDX-License-Identifier: Apache-2.0
"""`build.py build`: one directory below build/ for each mode, configured and compiled on demand."""
from __future__ import annotations

import argparse
import os
import shlex
import shutil
import time
from pathlib import Path
from typing import Sequence

from tools import packages, shell

# What each mode tells CMake. The sanitizers want the optimiser on, but not so far that a stack
# trace lies: CMakeLists.txt gives Debug -O1.
MODES = {
    "release": ["-DCMAKE_BUILD_TYPE=Release"],
    "debug": ["-DCMAKE_BUILD_TYPE=Debug"],
    "asan": ["-DCMAKE_BUILD_TYPE=Debug", "-DSANITIZE=address"],
    "tsan": ["-DCMAKE_BUILD_TYPE=Debug", "-DSANITIZE=thread"],
}

# Paths relative to the tree and no build directory in the hash: clones and modes share what they
# have in common, which is all of the generated code.
CCACHE = {
    "CCACHE_BASEDIR": str(shell.ROOT),
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_SLOPPINESS": "time_macros",
}


def command(args: argparse.Namespace) -> None:
    """The subcommand: builds, and says where the result is."""
    if packages.missing():
        packages.setup()
    out = build(args.mode, args.targets, args.jobs, args.portable)
    daemon = out / "bessd"
    if not args.targets and daemon.exists():
        shell.say(f"built {daemon.relative_to(shell.ROOT)}")


def plugin_command(args: argparse.Namespace) -> None:
    """The subcommand for plugins: the daemon is not compiled, but configured with their directory."""
    directory = Path(args.directory).resolve()
    if not any(directory.glob("*.cc")):
        raise shell.Failed(f"there is no *.cc in {directory}")
    out = shell.BUILD / args.mode
    with shell.only_one(args.mode):
        configure(out, [*MODES[args.mode], "-DPORTABLE=OFF"])
        if shell.run([shell.tool("cmake"), f"-DPLUGIN_DIRS={directory}", str(out)], CCACHE) != 0:
            raise shell.Failed(f"cmake failed in {out.relative_to(shell.ROOT)}")
    build(args.mode, [directory.name], args.jobs)
    made = out / "modules" / f"{directory.name}.so"
    shell.say(f"built {made.relative_to(shell.ROOT)}")


def build(
    mode: str, targets: Sequence[str], jobs: int, portable: bool = False, quiet: bool = False
) -> Path:
    """Brings the targets (all, when empty) of one mode up to date; returns their directory."""
    name = f"{mode}-portable" if portable else mode
    out = shell.BUILD / name
    started = time.monotonic()
    with shell.only_one(name):
        configure(out, [*MODES[mode], f"-DPORTABLE={'ON' if portable else 'OFF'}"])
        ninja = [shell.tool("ninja"), "-C", str(out), f"-j{jobs}", *["--quiet"] * quiet, *targets]
        if shell.run(ninja, CCACHE) != 0:
            repeat = shlex.join(["./build.py", "build", f"--mode={mode}", *targets])
            raise shell.Failed(f"the {name} build failed; to repeat it: {repeat}")
    if name == "release":
        link(shell.BUILD / "bessd", Path("release/bessd"))
    if time.monotonic() - started > 3 or not quiet:
        shell.say(f"build {name}: {time.monotonic() - started:.0f} s")
    return out


def configure(out: Path, settings: Sequence[str]) -> None:
    """Runs CMake when its arguments are new; Ninja runs it again when its inputs change."""
    arguments = [
        "-S",
        str(shell.ROOT),
        "-B",
        str(out),
        "-G",
        "Ninja",
        "--log-level=WARNING",
        *settings,
    ]
    if shutil.which("ccache"):
        arguments += [f"-DCMAKE_{x}_COMPILER_LAUNCHER=ccache" for x in ("C", "CXX")]
    stamp = out / ".configured"
    wanted = shlex.join(arguments)
    if not (out / "build.ninja").exists() or not stamp.exists() or stamp.read_text() != wanted:
        if shell.run([shell.tool("cmake"), *arguments], CCACHE) != 0:
            raise shell.Failed(f"cmake failed in {out.relative_to(shell.ROOT)}")
        stamp.write_text(wanted)
    editors = shell.ROOT / "compile_commands.json"
    if out.name == "release" or not editors.exists():
        link(editors, Path("build") / out.name / "compile_commands.json")


def link(path: Path, target: Path) -> None:
    """Makes a relative symbolic link, over an older one, never over a file somebody made."""
    if path.exists() and not path.is_symlink():
        raise shell.Failed(f"{path} is in the way of a symbolic link to {target}")
    if not path.is_symlink() or os.readlink(path) != str(target):
        path.unlink(missing_ok=True)
        path.symlink_to(target)
