# SPDX-License-Identifier: Apache-2.0
"""What build.py is made of; each file is one of its words or something two of them share."""
