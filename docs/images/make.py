#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes run.svg, the picture of `./build.py run`, from a run of it: real traffic, so run it as root."""

import io
import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(REPO / "sample_conf"), str(REPO / "bessctl")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from demo import books, view  # noqa: E402
from demo.session import Demo, Options  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.terminal_theme import MONOKAI  # noqa: E402

WIDTH = 104
HEIGHT = 60


def main() -> int:
    """Runs the demo, and draws its busiest second and its books."""
    demo = Demo(Options(replay=os.geteuid() != 0), Console(width=WIDTH))
    if not demo.run() or demo.busiest is None or demo.books is None:
        return 1
    canvas = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    canvas.print("$ ./build.py run\n", style="bold", highlight=False)
    canvas.print(view.draw(demo.busiest, demo.steps, WIDTH, HEIGHT))
    canvas.print()
    books.show(demo.books, canvas)
    drawn = canvas.export_svg(title="bessd", theme=MONOKAI)
    # Pictures load nothing from elsewhere: any monospaced font will do. Some viewers drop spaces.
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("<svg ", '<svg xml:space="preserve" ', 1)
    lines = [line.rstrip() for line in drawn.splitlines()]
    (HERE / "run.svg").write_text("\n".join(x for x in lines if x) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
