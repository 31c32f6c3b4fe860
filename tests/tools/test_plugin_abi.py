# SPDX-License-Identifier: Apache-2.0
"""The name of the plugins' binary interface changes with each thing they are compiled against."""

import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def abi(scratch: Path, text: str, files: list[Path]) -> str:
    """What the build writes for these inputs."""
    out = scratch / "abi.h"
    names = ",".join(str(file) for file in files)
    version = REPO / "core" / "control" / "version.h"
    options = [f"-DOUT={out}", f"-DTEXT={text}", f"-DVERSION_FILE={version}", f"-DFILES={names}"]
    script = str(REPO / "cmake" / "plugin_abi.cmake")
    subprocess.run(["cmake", *options, "-P", script], check=True)
    return out.read_text(encoding="utf-8")


def test_every_file_and_the_compiler_count(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("first.h", "middle.h", "last.h")]
    for file in files:
        file.write_text("old", encoding="utf-8")
    names = {abi(tmp_path, "gcc 12", files), abi(tmp_path, "gcc 13", files)}
    for file in files:
        file.write_text("new", encoding="utf-8")
        names.add(abi(tmp_path, "gcc 12", files))
    assert len(names) == 5


def test_the_build_names_every_header() -> None:
    ninja = next((REPO / "build").glob("*/build.ninja")).read_text(encoding="utf-8")
    line = next(
        line for line in ninja.splitlines() if "plugin_abi.cmake" in line and "-DFILES" in line
    )
    for header in ("core/base/status.h", "core/graph/module.h", "core/port/port.h"):
        assert header in line.split("-DFILES=")[1].split(" ")[0]
