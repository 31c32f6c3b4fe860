# SPDX-License-Identifier: Apache-2.0
"""The live demo of `./build.py run`.

As root: two hosts in network namespaces, joined by bessd alone, with a switch, a firewall and a NAT
between them; ping, an HTTP download and iperf3 run through it. As an ordinary user, or with --replay: a
capture of such traffic, replayed. Either way each module's rates are shown meanwhile, until a key is
pressed, and at the end what became of every packet; the exit status says whether that adds up.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from besslang import ScriptError  # noqa: E402
from demo.errors import DemoError  # noqa: E402
from demo.session import Demo, Options  # noqa: E402
from pybess import APIError, Error, RPCError  # noqa: E402
from rich.console import Console  # noqa: E402

WIDTH_OF_A_FILE = 120
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def options(arguments: list[str]) -> Options:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="build.py run", description=__doc__.splitlines()[0])
    parser.add_argument("--replay", action="store_true", help="replay a capture, also as root")
    drivers = ("af_packet", "af_xdp")
    parser.add_argument("--driver", choices=drivers, default=drivers[0], help="of the veth ports")
    parser.add_argument("--seconds", type=float, help="stop after so long, and repeat until then")
    args = parser.parse_args(arguments)
    if args.seconds is not None and args.seconds <= 0:
        parser.error(f"--seconds must be above 0, not {args.seconds:g}")
    return Options(
        replay=args.replay or os.geteuid() != 0,
        driver=args.driver,
        seconds=args.seconds,
        interactive=sys.stdin.isatty() and sys.stdout.isatty(),
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ends the demo once; what it made is then taken away without being interrupted again."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Runs the demo; what it made is gone when this returns, however it ends."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    chosen = options(sys.argv[1:])
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    try:
        return 0 if Demo(chosen, console).run() else 1
    except (DemoError, ScriptError, Error, APIError, RPCError) as error:
        print(f"live: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("live: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
