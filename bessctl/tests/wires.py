# SPDX-License-Identifier: Apache-2.0
"""Reads a picture of a pipeline as a person does: follows the lines from gate to gate."""

import re
from dataclasses import dataclass, field

from besscli.picture import _LINES, DOWN, LEFT, RIGHT, UP, Picture

Place = tuple[int, int]
Gate = tuple[str, int]
_STEPS = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
_BACK = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}
_MEANS = {character: directions for directions, character in _LINES.items()}
_MEANS |= {"│": UP | DOWN, "─": LEFT | RIGHT}
_ARROWS = {"▼": DOWN, "▲": UP}


@dataclass
class Wiring:
    """What a picture shows; gates by the place outside their box, and the way there from the box."""

    lines: list[str]
    gates: dict[tuple[Place, int], Gate] = field(default_factory=dict)

    def leads_to(self) -> dict[Gate, set[Gate]]:
        """For each output gate the input gates that its line leads to."""
        return {
            gate: self._ends(place, way)
            for (place, way), gate in self.gates.items()
            if _ARROWS.get(self.at(place)) != _BACK[way]
        }

    def at(self, place: Place) -> str:
        """The character there."""
        row, column = place
        line = self.lines[row] if 0 <= row < len(self.lines) else ""
        return line[column] if 0 <= column < len(line) else " "

    def _ends(self, start: Place, way: int) -> set[Gate]:
        waiting, seen, ends = [(start, way)], set(), set()
        while waiting:
            place, way = waiting.pop()
            if (place, way) in seen:
                continue
            seen.add((place, way))
            if self.at(place) in _ARROWS:
                ends.add(self.gates[place, _BACK[_ARROWS[self.at(place)]]])
                continue
            waiting += [(_step(place, onwards), onwards) for onwards in self._onwards(place, way)]
        return ends

    def _onwards(self, place: Place, way: int) -> list[int]:
        """Where a line goes on that comes in that way: an upright one covers what crosses it, and
        what others join has their gates as ends, too.
        """
        character = self.at(place)
        if way in (LEFT, RIGHT) and character == "│":
            return [way]
        directions = _MEANS.get(character, 0)
        if not directions & _BACK[way]:
            raise AssertionError(f"a line ends at {place} in {character!r}")
        into_boxes = sum(_BACK[side] for side in (UP, DOWN) if (place, side) in self.gates)
        left = directions & ~_BACK[way] & ~into_boxes
        return [direction for direction in _STEPS if left & direction]


def _step(place: Place, way: int) -> Place:
    down, right = _STEPS[way]
    return place[0] + down, place[1] + right


def read(picture: Picture) -> Wiring:
    """Finds the gates of all boxes."""
    wiring = Wiring(picture.lines)
    for row, start, end in picture.names:
        name = picture.lines[row][start:end]
        left, right = picture.lines[row].rfind("│", 0, start), picture.lines[row].index("│", end)
        bottom = row
        while wiring.at((bottom, left)) != "└":
            bottom += 1
        for border, way in ((row - 1, UP), (bottom, DOWN)):
            for number in re.finditer(r"\d+", picture.lines[border][left:right]):
                column = left + number.start() + (len(number[0]) - 1) // 2
                wiring.gates[_step((border, column), way), way] = name, int(number[0])
    return wiring
