# SPDX-License-Identifier: Apache-2.0
"""The Python client of bessd: everything the control API can do, as methods of one class."""

from pybess.client import BESS
from pybess.errors import APIError, ConstraintError, Error, Problem, RPCError, StatusError
from pybess.transaction import Transaction

__all__ = [
    "BESS",
    "APIError",
    "ConstraintError",
    "Error",
    "Problem",
    "RPCError",
    "StatusError",
    "Transaction",
]
