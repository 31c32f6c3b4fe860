# SPDX-License-Identifier: Apache-2.0
"""Running things as an ordinary user, also when it is root who runs the tests."""

import os

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
_WHO = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]

# What to put before a command.
AS_NOBODY = ["setpriv", *_WHO, "--"] if IS_ROOT else []
