# SPDX-License-Identifier: Apache-2.0
"""The shell: its commands, the pictures it draws, and the terminal."""
