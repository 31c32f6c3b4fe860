# SPDX-License-Identifier: Apache-2.0
"""The import path existing programs use: `from pybess.bess import *`."""

from pybess.client import BESS
from pybess.errors import APIError, ConstraintError, Error, RPCError

__all__ = ["BESS", "APIError", "ConstraintError", "Error", "RPCError"]
