# SPDX-License-Identifier: Apache-2.0
"""Runs one case of a .pkt file and judges what came of it."""
from __future__ import annotations

from typing import Any, Callable, Iterator

from besslang.catalogue import Catalogue
from besslang.errors import NeedsDaemon, ScriptError
from besslang.loader import Script, execute
from besslang.recorder import Pipeline, RecordingClient
from besslang.syntax import compile_script
from google.protobuf import json_format
from pybess.convert import to_message
from pybess.errors import APIError
from pybess.protos import protos

import packet_diff
import packet_expr
from packet_file import Case, Expression, PacketFileError, Step, shown
from packet_process import Runner

Json = dict[str, Any]


def check(case: Case, runner: Runner, sweep: bool = True) -> list[str]:
    """What is wrong, most important first; nothing if the case passes."""
    request = Request(case, runner.classes())
    try:
        answer = runner.run({**request.build(), "sweep": sweep})
    except PacketFileError as error:
        # The loader refuses some graphs before anybody can try to make them.
        if case.graph_refusal and case.graph_refusal in error.reason:
            return []
        raise
    return [f"{shown(case.path)}:{line}: {text}" for line, text in problems(case, answer)]


class Request:
    """Turns a case into what the runner reads."""

    def __init__(self, case: Case, classes: Json) -> None:
        self.case = case
        self.commands: dict[str, dict[str, str]] = {
            name: mclass.get("commands", {}) for name, mclass in classes.items()
        }
        self.mclass_of: dict[str, str] = {}

    def build(self) -> Json:
        """The whole request; raises PacketFileError."""
        pipeline = self.load()
        self.mclass_of = {module.name: module.mclass for module in pipeline.modules}
        return {
            "name": self.case.name,
            "ports": [{"name": name, "queues": n} for name, n in self.case.ports.items()],
            "modules": [
                {"name": module.name, "mclass": module.mclass}
                | argument(module.arg_type, module.arg)
                for module in pipeline.modules
            ],
            "connections": [
                {"from": edge.m1, "ogate": edge.ogate, "to": edge.m2, "igate": edge.igate}
                for edge in pipeline.connections
            ],
            "steps": [self.step(step) for step in self.case.steps],
        }

    def load(self) -> Pipeline:
        """The graph as plain data."""
        graph = self.case.graph
        assert graph is not None
        path = shown(self.case.path)
        # As many empty lines in front as make errors point into the file.
        text = "\n" * (graph.line - 1) + graph.text
        client = RecordingClient(Catalogue(self.commands, []))
        try:
            execute(Script(path, text, compile_script(text, path)), client, {})
        except ScriptError as error:
            raise self.case.error(error.line, error.reason) from error
        except NeedsDaemon as error:
            raise self.case.error(graph.line, str(error)) from error
        pipeline = client.pipeline
        for what in ("workers", "tcs", "attachments", "hooks", "commands"):
            if getattr(pipeline, what):
                reason = f"the graph of a test has modules and connections, no {what}"
                raise self.case.error(graph.line, reason)
        return pipeline

    def step(self, step: Step) -> Json:
        """One step; what it needs to know of the others is what modules there are."""
        self.check_name(step)
        if step.kind == "tick":
            return {"do": "tick", "seconds": step.seconds}
        if step.kind == "run":
            return {"do": "run", "name": step.name, "times": step.count}
        if step.kind in ("command", "refuse"):
            return self.command(step)
        action = f"{step.kind}_port" if step.at_port else step.kind
        at: Json = {"do": action, "name": step.name, "gate": step.gate}
        if step.kind == "out":
            return at
        return at | {"packets": [packet.hex() for packet in all_packets(self.case, step)]}

    def check_name(self, step: Step) -> None:
        known = list(self.case.ports) if step.at_port else list(self.mclass_of)
        if step.kind != "tick" and step.name not in known:
            what = "port" if step.at_port else "module"
            reason = f"there is no {what} '{step.name}'; there is {', '.join(known) or 'none'}"
            raise self.case.error(step.line, reason)

    def command(self, step: Step) -> Json:
        mclass = self.mclass_of[step.name]
        commands = self.commands[mclass]
        if step.command not in commands:
            reason = f"{mclass} has no command '{step.command}'; it has: {', '.join(commands)}"
            raise self.case.error(step.line, reason)
        call = {"do": "command", "name": step.name, "command": step.command}
        given = Expression(step.arguments, step.line)
        fields = evaluated(self.case, given, packet_expr.arguments)
        try:
            return call | argument(commands[step.command], fields)
        except APIError as error:
            raise self.case.error(step.line, str(error)) from error


def argument(type_name: str, fields: Json) -> Json:
    """An argument message: its type and its protobuf JSON."""
    message_class = protos().message(type_name)
    message = to_message(message_class, fields)
    text = json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None)
    return {"type": message_class.DESCRIPTOR.full_name, "argument": text}


def evaluated(case: Case, expression: Expression, meaning: Callable[[str], Any]) -> Any:
    """The value of an expression; whatever goes wrong names its line."""
    try:
        return meaning(expression.text)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise case.error(expression.line, reason) from error


def all_packets(case: Case, step: Step) -> list[bytes]:
    """The packets the body of a step lists."""
    lists = (evaluated(case, expression, packet_expr.packets) for expression in step.body)
    return [packet for packets in lists for packet in packets]


def problems(case: Case, answer: Json) -> Iterator[tuple[int, str]]:
    """The lines of the file at which something was not as it says."""
    if case.graph_refusal or "graph" in answer:
        yield from problems_of_graph(case, answer)
        return
    for step, result in zip(case.steps, answer.get("steps", [])):
        yield from ((step.line, text) for text in problems_of_step(case, step, result))
        if "books" in result:
            yield step.line, result["books"]
            return
    yield from problems_of_drops(case, answer.get("drops", []))
    for left in answer.get("untaken", []):
        yield case.line, unchecked(left)
    for key, what in (("end", "at the end"), ("sweep", "sweep")):
        if key in answer:
            yield case.line, f"{what}: {answer[key]}"


def problems_of_graph(case: Case, answer: Json) -> Iterator[tuple[int, str]]:
    assert case.graph is not None
    line, refused = case.graph.line - 1, answer.get("graph")
    if not case.graph_refusal:
        yield line, f"the graph is refused: {refused}"
    elif refused is None:
        yield line, f"the graph is accepted; expected an error with: {case.graph_refusal}"
    elif case.graph_refusal not in refused:
        yield line, f"expected an error with: {case.graph_refusal}\nit is: {refused}"


def problems_of_step(case: Case, step: Step, result: Json) -> Iterator[str]:
    error = result.get("error")
    if step.kind == "refuse":
        if error is None:
            yield f"the command succeeds; expected an error with: {step.refusal}"
        elif step.refusal not in error:
            yield f"expected an error with: {step.refusal}\nit is: {error}"
    elif error is not None:
        yield f"{step.kind} fails: {error}"
    elif step.kind == "out":
        yield from problems_of_output(case, step, unpacked(result))


def problems_of_output(case: Case, step: Step, came: list[bytes]) -> Iterator[str]:
    if step.count is None:
        difference = packet_diff.difference(all_packets(case, step), came)
    elif step.count == len(came):
        difference = ""
    else:
        lines = [f"expected {packet_diff.count(step.count)}, {len(came)} came"]
        difference = "\n".join(lines + packet_diff.listed(came))
    if difference:
        yield f"out {'port ' * step.at_port}{step.name} {step.gate}: {difference}"


def problems_of_drops(case: Case, drops: list[Json]) -> Iterator[tuple[int, str]]:
    dropped = {(drop["module"], drop["reason"]): int(drop["count"]) for drop in drops}
    for wanted in case.drops:
        came = dropped.pop((wanted.module, wanted.reason), 0)
        if came != wanted.count:
            text = f"expected {wanted.count} drops of '{wanted.module}' as {wanted.reason}, "
            yield wanted.line, text + f"there were {came}"
    for (module, reason), came in dropped.items():
        yield case.line, f"unlisted drop; to expect it, write: drop {module} {reason} {came}"


def unchecked(left: Json) -> str:
    """Packets that came out where nobody looked."""
    packets = unpacked(left)
    place = f"{'port ' * (left['kind'] == 'port')}{left['name']} {int(left['gate'])}"
    lines = [f"{packet_diff.count(len(packets))} came by `out {place}`, which no later step checks"]
    return "\n  ".join(lines + packet_diff.listed(packets))


def unpacked(result: Json) -> list[bytes]:
    """The packets of an answer."""
    return [bytes.fromhex(packet) for packet in result.get("packets", [])]


__all__ = ["PacketFileError", "check"]
