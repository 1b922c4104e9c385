"""Emulated clouds behind the provider protocol."""

from sandbox.clouds.opening import Cloud, open_cloud

__all__ = ["Cloud", "open_cloud"]
