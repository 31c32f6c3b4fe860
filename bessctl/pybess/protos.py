# SPDX-License-Identifier: Apache-2.0
"""The wire's messages and services, read from ../proto at first need, and those of plugins.

Plugins' messages are read from ../sample_plugin and the directories $BESS_PLUGIN_PROTOS names,
with colons between them.

protoc compiles the .proto files to one descriptor set, which is kept under build/proto_py by the
hash of their contents; message classes are made from it, so no code is generated and no version of
one can be wrong.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pybess.convert import packed_type
from pybess.errors import APIError

REPO = Path(__file__).resolve().parents[2]
PACKAGES = ("bess.pb", "bess.native")


class Protos:
    """Message classes and services by name; a name without dots is looked up in the known packages."""

    def __init__(self, descriptor_set: bytes):
        self.files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file
        others = {file.package for file in self.files} - {*PACKAGES, "google.protobuf"}
        self._packages = [*PACKAGES, *sorted(others)]
        self._pool = descriptor_pool.DescriptorPool()
        for file in self.files:
            self._pool.Add(file)
        self._factory = message_factory.MessageFactory(self._pool)
        self._classes: dict[str, Any] = {}

    def find(self, name: str) -> Any | None:
        """The class of a message, or None if there is no such message."""
        if name not in self._classes:
            self._classes[name] = self._load(name)
        return self._classes[name]

    def message(self, name: str) -> Any:
        """The class of a message that must exist."""
        found = self.find(name)
        if found is None:
            raise APIError(f"there is no message '{name}' in {REPO / 'proto'}")
        return found

    def unpack(self, packed: Any) -> Any | None:
        """The message in an Any; None when its type is unknown here."""
        found = self.find(packed_type(packed))
        return found.FromString(packed.value) if found else None

    def method(self, service: str, name: str) -> tuple[str, Any, Any]:
        """The gRPC path, request class and response class of a method."""
        method = self._pool.FindServiceByName(service).FindMethodByName(name)
        request, response = method.input_type.full_name, method.output_type.full_name
        return f"/{service}/{name}", self.message(request), self.message(response)

    def methods(self, service: str) -> list[str]:
        """The names of a service's methods."""
        return [method.name for method in self._pool.FindServiceByName(service).methods]

    def _load(self, name: str) -> Any | None:
        for full_name in (
            [name] if "." in name else [f"{package}.{name}" for package in self._packages]
        ):
            try:
                descriptor = self._pool.FindMessageTypeByName(full_name)
            except KeyError:
                continue
            if hasattr(message_factory, "GetMessageClass"):
                return message_factory.GetMessageClass(descriptor)
            return self._factory.GetPrototype(descriptor)
        return None


@functools.cache
def protos() -> Protos:
    """The messages of this clone's proto directory, and of plugins."""
    named = os.environ.get("BESS_PLUGIN_PROTOS", "").split(":")
    plugins = [*sorted((REPO / "sample_plugin").glob("*/")), *(Path(x) for x in named if x)]
    return Protos(_descriptor_set([REPO / "proto", *plugins]))


def _descriptor_set(roots: list[Path]) -> bytes:
    sources = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for root in roots
        for path in sorted(root.rglob("*.proto"))
    }
    if not sources:
        raise APIError(f"there are no .proto files in {roots[0]}")
    digest = hashlib.sha256(repr(sources).encode()).hexdigest()[:16]
    for directory in (REPO / "build" / "proto_py", _user_cache()):
        try:
            return (directory / f"{digest}.protoset").read_bytes()
        except OSError:
            continue
    compiled = _compile(roots, list(sources))
    _store(f"{digest}.protoset", compiled)
    return compiled


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bessctl"


def _store(name: str, content: bytes) -> None:
    """Keeps a file in the first cache that can be written; a reader sees all of it or nothing."""
    for directory in (REPO / "build" / "proto_py", _user_cache()):
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
                file.write(content)
            os.chmod(file.name, 0o644)
            os.replace(file.name, directory / name)
            return
        except OSError:
            continue


def _compile(roots: list[Path], names: list[str]) -> bytes:
    protoc = shutil.which("protoc")
    command = [protoc] if protoc else [sys.executable, "-m", "grpc_tools.protoc"]
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "out")
        includes = [f"-I{root}" for root in roots]
        arguments = [*includes, "--include_imports", f"--descriptor_set_out={output}"]
        if not protoc:
            arguments.append(f"-I{_bundled_includes()}")
        done = subprocess.run(
            [*command, *arguments, *names], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise APIError(f"the .proto files do not compile: {done.stderr.strip()}")
        return Path(output).read_bytes()


def _bundled_includes() -> str:
    try:
        import grpc_tools
    except ImportError:
        raise APIError(
            "no protoc here; install the Debian package python3-grpc-tools or protobuf-compiler"
        ) from None
    return str(Path(grpc_tools.__file__).parent / "_proto")
