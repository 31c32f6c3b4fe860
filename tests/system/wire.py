# SPDX-License-Identifier: Apache-2.0
"""A client as others have it: generated from the proto files by grpc_tools, nothing of pybess."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import grpc_tools

REPO = Path(__file__).resolve().parents[2]


def generate(out: Path) -> None:
    """Compiles every proto file to Python below `out`, and makes it importable."""
    root = REPO / "proto"
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.proto"))]
    bundled = Path(grpc_tools.__file__).parent / "_proto"
    places = [f"-I{root}", f"-I{bundled}", f"--python_out={out}", f"--grpc_python_out={out}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *places, *names], check=True)
    sys.path.insert(0, str(out))


class Wire:
    """Messages by name, and a stub of each service."""

    def __init__(self, address: str):
        self._modules = [
            importlib.import_module(".".join(path.with_suffix("").parts) + "_pb2")
            for path in (p.relative_to(REPO / "proto") for p in (REPO / "proto").rglob("*.proto"))
        ]
        self._channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        service: Any = importlib.import_module("bess.service_pb2_grpc")
        observe: Any = importlib.import_module("native.observe_pb2_grpc")
        self.control = service.BESSControlStub(self._channel)
        self.observe = observe.ObserveStub(self._channel)
        self._service: Any = importlib.import_module("bess.service_pb2")

    def methods(self) -> dict[str, Any]:
        """The control service's methods: name and descriptor."""
        return dict(self._service.DESCRIPTOR.services_by_name["BESSControl"].methods_by_name)

    def message(self, name: str, /, **fields: Any) -> Any:
        """A message of this name."""
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)(**fields)
        raise LookupError(name)

    def packed(self, name: str, /, **fields: Any) -> Any:
        """A message inside an Any."""
        packed = self.message_any()
        packed.Pack(self.message(name, **fields))
        return packed

    @staticmethod
    def message_any() -> Any:
        """An empty Any."""
        return importlib.import_module("google.protobuf.any_pb2").Any()

    def call(self, method: str, /, **fields: Any) -> Any:
        """Sends a request of the control service and returns the response, error or not."""
        request = self.message(self.methods()[method].input_type.name, **fields)
        return getattr(self.control, method)(request, timeout=20)

    def ok(self, method: str, /, **fields: Any) -> Any:
        """The same, for one that has to succeed: its `error` has to be unset."""
        response = self.call(method, **fields)
        assert not response.HasField("error"), f"{method}: {response.error}"
        return response

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()


def state(wire: Wire) -> dict[str, Any]:
    """All that a client can see of the switch, without what changes by itself."""
    seen: dict[str, Any] = {}
    for module in wire.ok("ListModules").modules:
        info = wire.ok("GetModuleInfo", name=module.name)
        info.ClearField("desc")
        info.ClearField("deadends")
        for gate in [*info.igates, *info.ogates]:
            for counter in ("cnt", "pkts", "bytes", "timestamp"):
                gate.ClearField(counter)
        seen[f"module {module.name}"] = str(info)
    for port in wire.ok("ListPorts").ports:
        conf = wire.ok("GetPortConf", name=port.name)
        seen[f"port {port.name}"] = str(port) + str(conf)
    workers = wire.ok("ListWorkers").workers_status
    seen["workers"] = [(w.wid, w.core, w.running, w.num_tcs) for w in workers]
    seen["hooks"] = [str(hook) for hook in wire.ok("ListGateHooks").hooks]
    return seen
