#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The smallest NF, in Python: `forwarder.py SOCKET` sends back what it gets."""
import sys

import bessnf


def main(path: str) -> None:
    """Forwards; when the switch was restarted, so that the attachment is gone, it begins again."""
    with bessnf.attach(path, "forwarder.py") as nf:
        while True:
            try:
                if nf.wait():
                    nf.send(nf.receive())
            except ConnectionResetError:
                nf.reattach()


if __name__ == "__main__":
    main(sys.argv[1])
