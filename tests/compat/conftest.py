# SPDX-License-Identifier: Apache-2.0
"""Compiles the project's protos once for the compatibility tests."""

import subprocess
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

PROTO_ROOT = Path(__file__).resolve().parents[2] / "proto"


@pytest.fixture(scope="session")
def protos(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorSet:
    """All files below proto/, with their comments; what they import is left out."""
    names = sorted(str(path.relative_to(PROTO_ROOT)) for path in PROTO_ROOT.rglob("*.proto"))
    assert names, f"no .proto file below {PROTO_ROOT}"
    out = tmp_path_factory.mktemp("protos") / "all.desc"
    command = ["protoc", f"-I{PROTO_ROOT}", "--include_source_info", f"--descriptor_set_out={out}"]
    subprocess.run(command + names, check=True)
    return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
