# SPDX-License-Identifier: Apache-2.0
"""`http`: the pipeline in a web browser, with live rates. It shows and changes nothing.

The page asks for `pipeline` once a second: what it draws is made here, from the same readings for
all who look on. Only names of this machine that were asked for are answered, so that no page from
elsewhere can have a browser read it.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pybess.errors import APIError, Error, RPCError

from besscli import svg
from besscli.errors import CommandError
from besscli.pipeline import counters, rates, read_pipeline, shape
from besscli.shell import Shell, command
from besscli.show import read_ledger
from besscli.values import whole_number

PORT = 5000
READ_SECONDS = 0.9  # a reading this old is read anew
CLIENT_SECONDS = 10
PAGE = Path(__file__).with_name("page.html")
UNITS = ("packet", "batch", "bit")


class Viewer:
    """The two last readings of a daemon's pipeline."""

    def __init__(self, shell: Shell):
        self._shell = shell
        self._lock = threading.Lock()
        self._before: list[Any] = []
        self._now: list[Any] = []
        self._read_at = 0.0

    def view(self, unit: str) -> dict[str, str]:
        """What the page shows: the picture as SVG, and two lines of text."""
        with self._lock:
            try:
                return self._view(unit)
            except (Error, RPCError, APIError, CommandError) as error:
                self._read_at = 0.0
                return {"state": str(error), "books": "", "picture": ""}

    def _view(self, unit: str) -> dict[str, str]:
        client = self._shell.daemon()
        if time.monotonic() - self._read_at > READ_SECONDS:
            self._before, self._now = self._now, read_pipeline(client)
            self._read_at = time.monotonic()
        amounts = rates(counters(self._before, unit), counters(self._now, unit))
        workers = client.list_workers().workers_status
        running = sum(worker.running for worker in workers)
        state = f"{client.get_version().version} at {client.address}, {running} of {len(workers)} workers run"
        picture = svg.draw(*shape(self._now, amounts)) if self._now else "There is no pipeline."
        return {"state": state, "books": _books(client), "picture": picture}


def _books(client: Any) -> str:
    """Whether all packets are accounted for; other daemons than bessd do not say."""
    try:
        return read_ledger(client, [])[1]
    except RPCError:
        return ""


def make_server(shell: Shell, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens already; raises OSError if it cannot."""
    viewer = Viewer(shell)
    names = {host, "localhost", "127.0.0.1"}

    class Handler(BaseHTTPRequestHandler):
        """Answers GET of the page and of what it shows."""

        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            unit = parse_qs(url.query).get("unit", ["packet"])[0]
            if self.headers.get("Host", "").rsplit(":", 1)[0] not in names:
                self.send_error(403, "This name is not served")
            elif url.path == "/":
                self._answer("text/html; charset=utf-8", PAGE.read_bytes())
            elif url.path == "/pipeline" and unit in UNITS:
                self._answer("application/json", json.dumps(viewer.view(unit)).encode())
            else:
                self.send_error(404)

        def _answer(self, kind: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header(
                "Content-Security-Policy",
                "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'",
            )
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Requests are not worth a line each."""

    return ThreadingHTTPServer((host, port), Handler)


@command("http [HOST] [PORT_NUMBER]", "shows the pipeline to web browsers until Ctrl-C")
def serve(shell: Shell, host: str | None, port: str | None) -> None:
    shell.daemon()
    number = whole_number("a port", port) if port else PORT
    if not 0 <= number <= 65535:
        raise CommandError(f"a port is 0..65535, not {number}")
    try:
        server = make_server(shell, host or "localhost", number)
    except OSError as error:
        raise CommandError(
            f"cannot serve {host or 'localhost'}:{number}: {error.strerror}"
        ) from error
    with server:
        shell.say(
            f"http://{host or 'localhost'}:{server.server_address[1]} shows the pipeline; Ctrl-C ends it"
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            shell.say("")
