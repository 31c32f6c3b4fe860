# SPDX-License-Identifier: Apache-2.0
"""The web view: what it serves, to whom, and that names cannot become markup."""

import http.client
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from besscli import svg, web
from besscli.errors import CommandError
from besscli.graph import Edge, Node
from fake_daemon import FakeDaemon
from session import Session

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(name="port")
def served(run: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that reads anew at each request."""
    monkeypatch.setattr(web, "READ_SECONDS", 0.0)
    with web.make_server(run.shell, "localhost", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(port: int, path: str, host: str = "localhost") -> tuple[int, str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    response = connection.getresponse()
    return response.status, response.read().decode(), response.headers


def test_the_page_needs_nothing_from_elsewhere(port: int) -> None:
    status, page, headers = get(port, "/")
    assert status == 200 and "<!DOCTYPE html>" in page
    assert "http" not in page and "src=" not in page and "<link" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_picture_has_live_rates(port: int, run: Session) -> None:
    assert json.loads(get(port, "/pipeline")[1])["picture"] == "There is no pipeline."
    run("add module Source src", "add module Sink dst", "add connection src dst")
    get(port, "/pipeline")
    status, text, _ = get(port, "/pipeline?unit=packet")
    seen = json.loads(text)
    assert status == 200 and "10 created = 7 consumed" in seen["books"]
    assert seen["state"].startswith("fake 1.0 at unix:")
    texts = [element.text for element in ET.fromstring(seen["picture"]).iter(f"{SVG}text")]
    assert {"src", "dst", "Source", "Sink", "1.000M"} <= set(texts)


def test_only_this_machine_s_names_are_served(port: int) -> None:
    assert get(port, "/pipeline", host="evil.example")[0] == 403
    assert get(port, "/pipeline", host="127.0.0.1")[0] == 200


@pytest.mark.parametrize("path", ["/x", "/pipeline?unit=x", "/../web.py", "/page.html"])
def test_nothing_else_is_served(port: int, path: str) -> None:
    assert get(port, path)[0] == 404


def test_it_only_reads(port: int) -> None:
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    connection.request("POST", "/pipeline")
    assert connection.getresponse().status == 501


def test_a_daemon_that_goes_is_said(port: int, fake: FakeDaemon) -> None:
    fake.stop()
    seen = json.loads(get(port, "/pipeline")[1])
    assert "no daemon answers" in seen["state"] and seen["picture"] == ""


def test_names_are_escaped() -> None:
    nasty = "<script>alert(1)</script>&\"'"
    picture = svg.draw([Node(nasty, [nasty, "C"])], [Edge(nasty, 0, nasty, 0, "<b>")])
    assert "<script>" not in picture and "<b>" not in picture
    texts = [element.text for element in ET.fromstring(picture).iter(f"{SVG}text")]
    assert texts[0] == nasty


def test_long_edges_and_cycles_are_drawn() -> None:
    nodes = [Node(name, [name]) for name in "abc"]
    edges = [
        Edge("a", 0, "b", 0, "1"),
        Edge("b", 0, "c", 0),
        Edge("a", 1, "c", 0),
        Edge("c", 0, "a", 0),
    ]
    root = ET.fromstring(svg.draw(nodes, edges))
    assert len(list(root.iter(f"{SVG}rect"))) == 3
    paths = [
        p
        for p in root.iter(f"{SVG}path")
        if p.get("d", "").startswith("M") and "C" in p.get("d", "")
    ]
    assert sum("marker-end" in p.attrib or "marker-start" in p.attrib for p in paths) == 4


def test_a_port_that_is_taken(port: int, run: Session) -> None:
    with pytest.raises(CommandError, match=f"cannot serve localhost:{port}: "):
        run(f"http localhost {port}")
    with pytest.raises(CommandError, match="a port is 0..65535, not 70000"):
        run("http localhost 70000")
