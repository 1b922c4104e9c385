"""The emulated Google Cloud (`gcp`)."""

from sandbox.clouds.gcp.cloud import GcpCloud

__all__ = ["GcpCloud"]
