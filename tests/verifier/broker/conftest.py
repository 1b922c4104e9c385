"""The fixtures of the broker's tests."""

from tests.verifier.emulated_site import client, guest, keystore, keystore_directory, pki, refused, site

__all__ = ["client", "guest", "keystore", "keystore_directory", "pki", "refused", "site"]
