"""Emulated hardware, its vendors' services on loopback, and a store to fetch into."""

from tests.verifier.collateral.emulated_vendors import fetching, hardware, vendors

__all__ = ["fetching", "hardware", "vendors"]
