"""Key stores: KEKs and signing keys that never leave, behind one interface (design, D7)."""

from verifier.keystore.base import KeyStore, KeyStoreError, KeyStoreSigner, open_signer
from verifier.keystore.files import FileKeyStore
from verifier.keystore.hsm import Pkcs11KeyStore
from verifier.keystore.softhsm import configuration_in, find_softhsm, init_token

__all__ = [
    "FileKeyStore",
    "KeyStore",
    "KeyStoreError",
    "KeyStoreSigner",
    "Pkcs11KeyStore",
    "configuration_in",
    "find_softhsm",
    "init_token",
    "open_signer",
]
