"""The processor vendors' collateral services, emulated: what a mirror of them answers about the emulated hardware."""

from sandbox.vendors.service import VendorServices

__all__ = ["VendorServices"]
