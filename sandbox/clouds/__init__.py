"""Emulated clouds behind the provider protocol."""

from sandbox.clouds.opening import Cloud, open_cloud, providers_of

__all__ = ["Cloud", "open_cloud", "providers_of"]
