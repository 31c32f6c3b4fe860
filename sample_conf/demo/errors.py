# SPDX-License-Identifier: Apache-2.0
"""What ends a demo with a sentence instead of a traceback."""


class DemoError(Exception):
    """Something a person has to look at; the message is all they need."""
