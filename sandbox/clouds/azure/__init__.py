"""The emulated Azure (`azure-native`)."""

from sandbox.clouds.azure.cloud import AzureCloud

__all__ = ["AzureCloud"]
