# SPDX-License-Identifier: Apache-2.0
"""The .bess pipeline language: parsed, checked and run against a daemon or a recorder."""

from besslang.catalogue import Catalogue
from besslang.errors import ConfError, NeedsDaemon, ScriptError
from besslang.loader import Script, execute, load, rehearse
from besslang.recorder import Pipeline, RecordingClient
from besslang.state import to_state
from besslang.writer import Writer

__all__ = [
    "Catalogue",
    "ConfError",
    "NeedsDaemon",
    "Pipeline",
    "RecordingClient",
    "Script",
    "ScriptError",
    "Writer",
    "execute",
    "load",
    "rehearse",
    "to_state",
]
