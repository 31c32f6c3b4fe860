# SPDX-License-Identifier: Apache-2.0
"""Where the daemon listens: the default of both sides, and the forms an operator may write."""

import os
import stat

from pybess.errors import APIError

LEGACY_ADDRESS = "localhost:10514"


def runtime_dir() -> str:
    """The directory of the daemon's socket; bessd follows the same rule."""
    if os.geteuid() == 0:
        return "/run/bessd"
    xdg = os.environ.get("XDG_RUNTIME_DIR")
    return os.path.join(xdg, "bessd") if xdg else f"/tmp/bessd-{os.geteuid()}"


def default_socket() -> str:
    """The path of the Unix socket a daemon of this user listens on unless told otherwise."""
    return os.path.join(runtime_dir(), "bessd.sock")


def default_address() -> str:
    """BESS_GRPC_URL if set, else the default socket if there is one, else the BESS port."""
    return default_places()[-1]


def default_places() -> list[str]:
    """Where a daemon is looked for unless an address is given; nothing is at any but the last."""
    from_env = os.environ.get("BESS_GRPC_URL")
    if from_env:
        return [normalize(from_env)]
    path = default_socket()
    return [f"unix:{path}"] if _is_socket(path) else [path, LEGACY_ADDRESS]


def normalize(address: str) -> str:
    """Turns `unix:/path`, `/path`, `host:port` or `port` into what gRPC takes."""
    text = str(address).strip()
    if text.startswith("unix:"):
        return text
    if text.startswith("/"):
        return f"unix:{text}"
    host, separator, port = text.rpartition(":")
    if (
        not port.isascii()
        or not port.isdigit()
        or not 0 < int(port) < 65536
        or (separator and not host)
    ):
        raise APIError(f"'{address}' is no address; write unix:/path, host:port or port")
    return text if separator else f"localhost:{port}"


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
