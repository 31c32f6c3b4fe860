# SPDX-License-Identifier: Apache-2.0
"""What a command of the shell could not do, as one sentence for the operator."""


class CommandError(Exception):
    """A command failed."""
