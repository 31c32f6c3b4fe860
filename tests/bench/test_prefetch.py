# SPDX-License-Identifier: Apache-2.0
"""What only the compiled program shows: that memory is asked for ahead.

GCC takes a function that does nothing but prefetch for one without effect, and then leaves calls of
it out. No result changes by that, and no packet that is in the cache already is any slower.
"""

import re
import subprocess

import pytest
from demo.daemon import beside, program

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")


def functions_that_prefetch(path: str) -> list[str]:
    """Their names in a program or a library."""
    command = ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing:
        assert listing.stdout is not None
        function, found = "", []
        for line in listing.stdout:
            if start := FUNCTION.match(line):
                function = start.group(1)
            elif "prefetch" in line.lower():  # the instruction, or a call of what has it
                found.append(function)
    assert listing.returncode == 0
    return found


@pytest.fixture(scope="module")
def prefetching() -> list[str]:
    """The functions of the daemon that do."""
    return functions_that_prefetch(program())


@pytest.mark.parametrize("module", ["ACL", "IPLookup", "Nat", "Update", "UpdateTTL", "VLANPop"])
def test_headers_are_asked_for_ahead(prefetching: list[str], module: str) -> None:
    name = re.compile(rf"\(anonymous namespace\)::{module}\b")
    assert any(name.search(function) for function in prefetching)


def test_fields_of_keys_are_asked_for_ahead(prefetching: list[str]) -> None:
    assert any("KeyFields::Gather" in function for function in prefetching)


def test_slots_of_network_functions_are_asked_for_ahead(prefetching: list[str]) -> None:
    assert any("NfSession::TakeBack" in function for function in prefetching)
    assert functions_that_prefetch(beside("nf/libbessnf.so"))  # nothing else there does
