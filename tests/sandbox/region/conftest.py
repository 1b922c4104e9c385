"""Fixtures of this folder."""

from tests.sandbox.region.fixtures import attested, hardware_dir, region, scenario

__all__ = ["attested", "hardware_dir", "region", "scenario"]
