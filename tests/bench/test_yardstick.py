# SPDX-License-Identifier: Apache-2.0
"""What bessd is made for: no slower than DPDK's own forwarder on the same core in the same run.

The measured ratios are well above 1 (docs/performance.md), so a figure below it is a regression and not noise.
"""

import forwarding
import pytest
import yardstick
from figures import Settings

SHORT = ("source_sink", "bypass16", "port_to_port")
SETTINGS = Settings(repetitions=5, seconds=0.5)


@pytest.fixture(scope="module", name="medians")
def _medians() -> dict[str, float]:
    assert yardstick.available(), "dpdk-testpmd is in Debian's package dpdk-dev"
    found = forwarding.measure(forwarding.named(list(SHORT)), SETTINGS)
    return {x.name: x.median for x in found if x.unit == "x testpmd"}


@pytest.mark.parametrize("scenario", SHORT)
def test_at_least_as_fast_as_testpmd(medians: dict[str, float], scenario: str) -> None:
    """The median over repetitions of the ratio within each."""
    assert medians[scenario] >= 1.0
