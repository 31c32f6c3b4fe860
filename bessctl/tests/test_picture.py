# SPDX-License-Identifier: Apache-2.0
"""Pictures of pipelines, compared with those a person found good (tests/pictures/*.txt)."""

import random
from pathlib import Path

import pytest
from besscli import picture as pictures
from besscli.graph import Edge, Node
from besscli.picture import DOWN, LEFT, RIGHT, UP, Picture, draw
from wires import read

PICTURES = Path(__file__).with_name("pictures")

PIPELINES = {
    "one": "lonely",
    "chain": "src>queue queue>sink",
    "diamond": "src>em em:1>a em:2>b em:3>c a>m b>1:m c>1:m m>sink",
    "second_source": "src>q q>ttl ttl>m late>m m>sink",
    "cycle": "a>b b>c c>d c:1>b a:1>d d:1>a",
    "self": "src>loop loop:1>1:loop loop>sink",
    "fan": "s1>m s2>m s3>m s4>m m>rr rr>q1 rr:1>q2 rr:2>q3 rr:3>q4 q1>o q2>o q3>o q4>o",
    "apart": "a>b c>d",
    "large_gates": "p:8191>5000:m p:12>m",
}


def picture(spec: str) -> Picture:
    """Draws `a:ogate>igate:b` pairs; every second edge carries a label."""
    names: list[str] = []
    edges: list[Edge] = []
    for word in spec.split():
        left, _, right = word.partition(">")
        src, _, ogate = left.partition(":")
        igate, _, dst = right.rpartition(":")
        names += [name for name in (src, dst) if name and name not in names]
        if dst:
            edges.append(
                Edge(src, int(ogate or 0), dst, int(igate or 0), "" if len(edges) % 2 else "1.235M")
            )
    return draw([Node(name, [name, f"{name.title()}Class"]) for name in names], edges)


@pytest.mark.parametrize("name", PIPELINES)
def test_picture(name: str) -> None:
    assert (
        "\n".join(picture(PIPELINES[name]).lines) + "\n" == (PICTURES / f"{name}.txt").read_text()
    )


def test_nothing_is_nothing() -> None:
    assert draw([], []).lines == []


def test_large_pipelines_are_drawn_in_time() -> None:
    spec = " ".join(
        f"m{i}:{gate}>m{(i * 7 + gate * 3 + 1) % 300}" for i in range(300) for gate in range(2)
    )
    drawn = picture(spec)
    assert len(drawn.names) == 300


def test_boxes_do_not_overlap() -> None:
    drawn = picture(" ".join(f"s>{i}:x{i} x{i}:{i}>t" for i in range(20)))
    text = "\n".join(drawn.lines)
    assert text.count("┌") == text.count("┐") == text.count("└") == text.count("┘") == 22


def random_graph(seed: int) -> list[Edge]:
    """Edges among up to nine modules: long ones, cycles, loops, joins, with and without labels."""
    chosen = random.Random(seed)
    names = "abcdefghi"[: chosen.randint(2, 9)]
    outputs = [(name, gate) for name in names for gate in (0, 1, 2, 10, 8191)]
    taken = chosen.sample(outputs, chosen.randint(1, min(len(outputs), 2 * len(names))))
    labels = chosen.choice([[""], ["", "7", "1.235M"]])
    return [
        Edge(name, gate, chosen.choice(names), chosen.choice([0, 1, 12]), chosen.choice(labels))
        for name, gate in taken
    ]


@pytest.mark.parametrize("seed", range(400))
def test_lines_lead_where_edges_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a reader follows them; and no cell holds two wires unless they cross."""

    def checked(nets: dict[int, int]) -> str:
        assert len(nets) == 1 or sorted(nets.values()) == [UP | DOWN, LEFT | RIGHT]
        return show(nets)

    show = pictures._wire_character
    monkeypatch.setattr(pictures, "_wire_character", checked)
    edges = random_graph(seed)
    names = sorted({name for edge in edges for name in (edge.src, edge.dst)})
    drawn = draw([Node(name, [name, "Module"]) for name in names], edges)
    text = "\n".join(drawn.lines)
    wanted = {(e.src, e.ogate): {(e.dst, e.igate)} for e in edges if e.src != e.dst}
    assert read(drawn).leads_to() == wanted, text
    for edge in edges:
        assert edge.src != edge.dst or f"{edge.ogate}:{edge.igate}" in text


def test_the_example_of_the_readme_is_drawn_as_it_is() -> None:
    drawn = picture("src>split split>1:out split:1>q q>out")
    assert read(drawn).leads_to()["split", 0] == {("out", 1)}
    assert read(drawn).leads_to()["split", 1] == {("q", 0)}


def test_loops_have_room_beside_their_box() -> None:
    drawn = picture("src>sink other>1:sink src:10>11:src src:12>13:src")
    line = next(line for line in drawn.lines if "src" in line)
    assert "│↺10:11,12:13   │" in line
